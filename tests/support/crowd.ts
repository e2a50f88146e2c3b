/**
 * Many peers at once against one index: all join, all search until they find each other, all leave.
 * Arguments: port, count.
 * @module
 */

import { Leave, Peers } from "../../lib/protocol/presence.ts";
import { Search } from "../../lib/protocol/search.ts";
import { IndexClient } from "./index_client.ts";
import { eventually } from "./wait.ts";

const [port, countText] = Deno.args;
const count = Number(countText);
const index = { host: "127.0.0.1", port: Number(port) };

const clients = await Promise.all(Array.from({ length: count }, async (_, number) => {
  const client = await IndexClient.connect(index);
  const { reachable } = await client.join(`peer ${number}`, { files: 1 });
  if (!reachable) throw new Error(`peer ${number} was not dialled back`);
  await client.list(`lecture by peer ${number}.mp4`);
  return client;
}));
const found = await Promise.all(clients.map((client) =>
  eventually("everybody's file", async () => {
    let hits = 0;
    let more = true;
    while (more) {
      const page = await client.call(Search, { query: "lect peer", exact: false, limit: 100, offset: hits });
      hits += page.hits.length;
      more = page.more;
    }
    return hits === count;
  })
));
await Promise.all(clients.map((client) => client.call(Leave, {})));
const { peers } = await (clients[0] as IndexClient).call(Peers, { limit: 5, offset: 0 });
if (peers.length > 0) throw new Error(`${peers.length} peers are still there`);
await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
console.log(`${count} joined, ${found.length} found all ${count}, ${count} left`);
Deno.exit(0);
