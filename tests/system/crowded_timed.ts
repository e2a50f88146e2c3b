/**
 * Machines with other addresses want every place of an index and of a peer: an honest peer joins,
 * searches and downloads meanwhile. The bounds are those that people notice; on a slow machine the
 * same actions without the crowd decide (../support/beside_crowd.ts).
 * @module
 */

import { assert, assertEquals, assertLess } from "@std/assert";
import { fileURLToPath } from "node:url";
import { addressOf } from "../../lib/core/address.ts";
import { Failure } from "../../lib/core/failure.ts";
import { answerRequests, routes } from "../../lib/net/answerer.ts";
import { Caller, greet } from "../../lib/net/caller.ts";
import { Connection } from "../../lib/net/connection.ts";
import { Identity } from "../../lib/net/identity.ts";
import { Join, Peers, Reached, Update } from "../../lib/protocol/presence.ts";
import { besideCrowd } from "../support/beside_crowd.ts";
import { testWith } from "../support/components.ts";
import { connectFrom } from "../support/connect_from.ts";
import { CROWDS } from "../support/crowds.ts";
import { IndexClient } from "../support/index_client.ts";
import { peakBytes } from "../support/memory.ts";
import { Program, startIndex } from "../support/programs.ts";

/** Does something so many times, some at once; what fails goes to `onFailed`. */
async function times(
  count: number,
  work: (number: number) => Promise<void>,
  onFailed: (thrown: unknown) => void = () => {},
): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: 32 }, async () => {
    while (next < count) await work(next++).catch(onFailed);
  }));
}

/** The dearest names: of 1,000 characters, as one word or as 64, all found in one name only. */
function dearNames(key: number, from: number, count: number): { name: string; size: number }[] {
  return Array.from({ length: count }, (_, at) => {
    const word = `${key}x${from + at}x`;
    const name = key % 2 === 0
      ? word.padEnd(1_000, [...word].toReversed().join(""))
      : Array.from({ length: 64 }, (_, number) => `${number}y${word}`.padEnd(14, "z")).join(" ");
    return { name, size: 1 };
  });
}

Deno.test("an index stays below a gigabyte when 12 keys list a million long names, and serves others", async () => {
  await using index = await startIndex();
  const address = { host: "127.0.0.1", port: index.port };
  await using clients = new AsyncDisposableStack();
  await times(12, async (key) => {
    const client = clients.use(await IndexClient.connect(address));
    await client.join(`hoarder ${key}`);
    for (let from = 0; from < 1_000_000 / 12; from += 200) await client.list(...dearNames(key, from, 200));
    throw new Error("the index took all of them");
  }, (thrown) => assert(thrown instanceof Failure && thrown.message.includes("no more room"), String(thrown)));
  const { peers } = await (clients.use(await IndexClient.connect(address))).call(Peers, { limit: 20, offset: 0 });
  assertEquals(peers.length, 12);
  assertLess(peers.reduce((sum, { files }) => sum + files, 0), 150_000);
  const peak = await peakBytes(index.program.pid);
  assertLess(peak, 1_000_000_000);
  const connection = await connectFrom("127.0.0.9", index.port);
  await greet(connection, { called: "index", identity: await Identity.make() });
  const caller = new Caller(connection);
  const reached = Promise.withResolvers<void>();
  const ended = caller.run((event) => event === Reached.event && reached.resolve(), { waitMs: 600_000 });
  using honest = Deno.listen({ hostname: "127.0.0.9", port: 0 });
  const serving = answerOnce(honest, "honest");
  await caller.call(Join, { name: "honest", port: honest.addr.port, files: 1, plain: true });
  await reached.promise;
  await serving;
  assertEquals(await caller.call(Update, { add: [{ name: "homework.pdf", size: 1 }], remove: [] }), { files: 1 });
  connection.close();
  await ended;
});

/** Answers the dial-back of a peer of this name. */
async function answerOnce(listener: Deno.Listener, name: string): Promise<void> {
  const conn = await listener.accept();
  const connection = new Connection(conn, { local: addressOf(conn.localAddr), remote: addressOf(conn.remoteAddr) });
  await answerRequests(connection, routes(), undefined, { name: () => name, idleMs: 5_000 });
}

testWith(
  "unshare",
  ["--net", "ip", "link"],
  "an honest peer joins, searches and downloads beside a thousand addresses of one /64",
  async () => {
    const script = fileURLToPath(new URL("../support/one_network.ts", import.meta.url));
    await using program = new Program(["run", "--allow-all", script], { within: ["unshare", "--net"] });
    assertEquals(await program.exit(), 0, program.stderr);
    assertEquals(JSON.parse(program.stdout), []);
  },
);

for (const [what, begin] of Object.entries(CROWDS)) {
  Deno.test(`an honest peer joins, searches and downloads beside ${what}`, async () => {
    assertEquals(await besideCrowd(begin), []);
  });
}
