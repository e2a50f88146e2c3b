/**
 * Joins an index with one file and then does what an idle peer does. Arguments: port, name.
 * @module
 */

import { PING_EVERY_MS } from "../../lib/core/limits.ts";
import { Ping } from "../../lib/protocol/presence.ts";
import { IndexClient } from "./index_client.ts";

const [port, name = ""] = Deno.args;
const client = await IndexClient.connect({ host: "127.0.0.1", port: Number(port) });
await client.join(name);
await client.list(`file of ${name}`);
setInterval(() => client.call(Ping, {}), PING_EVERY_MS);
console.log("joined");
