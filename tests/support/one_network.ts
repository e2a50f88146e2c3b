/**
 * An index, a machine with a thousand addresses of one /64, and an honest peer of another /64. Runs in a network of its own, where these are
 * addresses of the loopback; called by crowded_timed.ts. Prints how long the honest peer took to join, in milliseconds.
 * @module
 */

import { INDEX_STRANGERS_MAX } from "../../lib/core/limits.ts";
import { SqliteIndex } from "../../lib/index/sqlite_index.ts";
import { greet } from "../../lib/net/caller.ts";
import { Identity } from "../../lib/net/identity.ts";
import { IndexServer } from "../../lib/server/index_server.ts";
import { connectFrom } from "./connect_from.ts";
import { IndexClient } from "./index_client.ts";

const ADDRESSES = 1_000;
/** More than an index has places for strangers. */
const HALF_OPEN = INDEX_STRANGERS_MAX + ADDRESSES;
const HONEST = "fd00:0:0:2::1";

const of = (number: number): string => `fd00:0:0:1::${(number + 1).toString(16)}`;
const added = Array.from({ length: ADDRESSES }, (_, number) => of(number)).concat(HONEST);
await ip("link set lo up");
await ip(...added.map((address) => `address add ${address}/128 dev lo nodad`));

const index = new SqliteIndex();
const server = await IndexServer.listen({ host: "::", port: 0 }, { index, journal: () => {}, connectionsMax: 300 });
const { port } = server.address;
for (let number = 0; number < HALF_OPEN; number++) await connectFrom(of(number % ADDRESSES), port, HONEST);
for (let number = 0; number < 400; number++) {
  const identity = await Identity.make();
  const connection = await connectFrom(of(number), port, HONEST);
  await greet(connection, { called: "index", identity }).catch(() => {});
}
const startMs = performance.now();
const honest = await IndexClient.connect({ host: HONEST, port });
const { reachable } = await honest.join("honest");
const tookMs = performance.now() - startMs;
await honest.list("homework.pdf");
const { hits } = await index.search({ query: "homework", exact: false, limit: 5, offset: 0 });
console.log(JSON.stringify({ tookMs, reachable, hits: hits.length }));
Deno.exit(0);

/** Changes addresses, all in one call. */
async function ip(...commands: string[]): Promise<void> {
  const child = new Deno.Command("ip", { args: ["-batch", "-"], stdin: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(commands.join("\n") + "\n"));
  await writer.close();
  if (!(await child.status).success) throw new Error(`Cannot do ${commands[0]}`);
}
