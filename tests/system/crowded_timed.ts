/**
 * An index and a peer, of which machines with other addresses want every place: an honest peer joins, searches and downloads meanwhile. Its
 * bounds are those that people notice; the machine is the one of the tests, so real programs stand on both sides.
 * @module
 */

import { assert, assertEquals, assertLess } from "@std/assert";
import { Caller, greet } from "../../lib/net/caller.ts";
import { addressOf } from "../../lib/core/address.ts";
import { STRANGERS_MAX } from "../../lib/core/limits.ts";
import { Failure } from "../../lib/core/failure.ts";
import { answerRequests, routes } from "../../lib/net/answerer.ts";
import { Connection } from "../../lib/net/connection.ts";
import { Identity } from "../../lib/net/identity.ts";
import { Join, Peers, Reached, Update } from "../../lib/protocol/presence.ts";
import { percentile } from "../bench/measure.ts";
import { fromFileUrl } from "@std/path";
import { testWith } from "../support/components.ts";
import { connectFrom } from "../support/connect_from.ts";
import { IndexClient } from "../support/index_client.ts";
import { peakBytes } from "../support/memory.ts";
import { type PeerArgs, Program, runCommand, startIndex, startPeer } from "../support/programs.ts";
import { sameFiles, TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

const FILE_BYTES = 20_000_000;
const JOIN_MS_MAX = 1_000;
const SEARCH_P99_MS_MAX = 100;
const SEARCHES = 400;

/** Those who want all places, and where. */
interface Crowd {
  /** The index, its HTTP side and the peer that serves. */
  readonly ports: { readonly index: number; readonly http: number; readonly peer: number };
  /** Keeps a connection open until the test is over. */
  keep(connection: Connection): Connection;
}

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

/** What a crowd does, by name. */
const CROWDS: Record<string, (crowd: Crowd) => Promise<void>> = {
  async "more half-open connections than the peer has places, and as many to the index"({ ports, keep }) {
    for (const port of [ports.index, ports.peer]) {
      await times(STRANGERS_MAX + 500, async () => void keep(await connectFrom("127.0.0.2", port)));
    }
  },
  async "300 connections that say HELLO and never PROVE"({ ports, keep }) {
    await times(300, async () => void await greet(keep(await connectFrom("127.0.0.2", ports.index))));
  },
  async "one key with 1,000 connections"({ ports, keep }) {
    const identity = await Identity.make();
    await times(1_000, async () => {
      await greet(keep(await connectFrom("127.0.0.2", ports.index)), { called: "index", identity });
    });
  },
  async "800 JOINs to a port that stays silent"({ ports, keep }) {
    const silent = Deno.listen({ hostname: "127.0.0.2", port: 0 });
    await times(800, async (number) => {
      const connection = keep(await connectFrom("127.0.0.2", ports.index));
      await greet(connection, { called: "index", identity: await Identity.make() });
      const caller = new Caller(connection);
      void caller.run(() => {}, { waitMs: 600_000 });
      await caller.call(Join, { name: `silent ${number}`, port: silent.addr.port, files: 0, plain: true });
    });
    silent.close();
  },
  async "64 slow HTTP clients of each of 16 addresses"({ ports, keep }) {
    await times(64 * 16, async (number) => {
      const connection = keep(await connectFrom(`127.0.1.${number % 16}`, ports.http));
      await connection.send(new TextEncoder().encode("GET /peers HTTP/1.1\r\nHo"));
    });
  },
};

/** The dearest names: of 1,000 characters, as one word or as 64, none of which another name has. */
function dearNames(key: number, from: number, count: number): { name: string; size: number }[] {
  return Array.from({ length: count }, (_, at) => {
    const word = `${key}x${from + at}x`;
    const name = key % 2 === 0
      ? word.padEnd(1_000, [...word].toReversed().join(""))
      : Array.from({ length: 64 }, (_, number) => `${number}y${word}`.padEnd(14, "z")).join(" ");
    return { name, size: 1 };
  });
}

Deno.test("an index refuses politely when 12 keys list a million of the longest names, stays below a gigabyte, and lists for others", async () => {
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
  assertLess(peers.reduce((sum, { files }) => sum + files, 0), 100_000);
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
  "an honest peer joins beside a thousand addresses of one /64",
  async () => {
    const script = fromFileUrl(new URL("../support/one_network.ts", import.meta.url));
    await using program = new Program(["run", "--allow-all", script], { within: ["unshare", "--net"] });
    assertEquals(await program.exit(), 0, program.stderr);
    const { tookMs, reachable, hits } = JSON.parse(program.stdout);
    assertEquals([reachable, hits], [true, 1]);
    assertLess(tookMs, JOIN_MS_MAX);
  },
);

for (const [what, crowd] of Object.entries(CROWDS)) {
  Deno.test(`an honest peer joins, searches and downloads beside ${what}`, async () => {
    await using temp = await TempFolder.make();
    await using index = await startIndex("--max-peers", "600");
    const source = await temp.file("ana/film.bin", FILE_BYTES);
    await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana" });
    assertEquals(ana.files, 1);
    const address = { host: "127.0.0.1", port: index.port };
    await using asking = await IndexClient.connect(address);
    await asking.join("asking");
    const hit = await eventually("the film is listed", async () => {
      const [found] = await asking.search("film");
      return found?.root === undefined ? undefined : found;
    });
    using stack = new DisposableStack();
    const ports = { index: index.port, http: index.httpPort, peer: hit.peers[0]?.port ?? 0 };
    await crowd({ ports, keep: (connection) => stack.use(connection) });

    const joinMs: number[] = [];
    for (let number = 0; number < 5; number++) {
      const startMs = performance.now();
      await using client = await IndexClient.connect(address);
      assertEquals((await client.join(`honest ${number}`)).reachable, true);
      joinMs.push(performance.now() - startMs);
    }
    const searchMs: number[] = [];
    for (let number = 0; number < SEARCHES; number++) {
      const startMs = performance.now();
      assertEquals((await asking.search("film")).length, 1);
      searchMs.push(performance.now() - startMs);
    }
    const page = await fetch(`http://127.0.0.1:${index.httpPort}/peers`);
    assertEquals(page.status, 200);
    await page.body?.cancel();
    const rui: PeerArgs = { folder: temp.at("rui"), index, name: "rui" };
    const got = await runCommand(rui, "get", "film.bin");
    assertEquals(got.code, 0, got.stderr);
    assert(await sameFiles(source, temp.at("rui/film.bin")));
    assertLess(Math.max(...joinMs), JOIN_MS_MAX);
    assertLess(percentile(searchMs, 0.99), SEARCH_P99_MS_MAX);
  });
}
