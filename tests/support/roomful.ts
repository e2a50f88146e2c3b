/**
 * A roomful of peers in one process, each with a folder, a file and a key of its own: for tests
 * with more peers than a machine has room for processes. Arguments: folder, how many, addresses of
 * indexes. Says when all are there, and every time that one has come to another index.
 * @module
 */

import { parseAddress } from "../../lib/core/address.ts";
import { Peer } from "../../lib/peer/peer.ts";

const [folder = "", count = "0", ...indexes] = Deno.args;
const addresses = indexes.map((each) => parseAddress(each, { defaultPort: 0 }));
const peers: Peer[] = [];
for (let number = 0; number < Number(count); number++) {
  const name = `guest ${number}`;
  await Deno.mkdir(`${folder}/${name}`);
  await Deno.writeTextFile(`${folder}/${name}/notes of ${name}.txt`, `${number}`);
  const peer = await Peer.start({
    folder: `${folder}/${name}`,
    indexes: addresses,
    name,
    listen: { host: "127.0.0.1", port: 0 },
    onEvent: (event) => {
      if (event.event === "index-back") say({ event: "moved", name, port: event.index.port });
      else if (event.event !== "index-lost") say({ event: event.event, name });
    },
  });
  peers.push(peer);
}
await Promise.all(peers.map((peer) => peer.listed()));
say({ event: "ready", ports: peers.map((peer) => peer.index?.port) });

function say(event: Record<string, unknown>): void {
  console.log(JSON.stringify(event));
}
