/**
 * A machine with a thousand addresses of one /64, which wants every place of an index and a peer,
 * and honest peers of another /64. Runs in a network of its own, where all of these are addresses
 * of the loopback; called by crowded_timed.ts. Prints what took too long.
 * @module
 */

import { INDEX_STRANGERS_MAX } from "../../lib/core/limits.ts";
import { besideCrowd } from "./beside_crowd.ts";
import { halfOpen, proven } from "./crowds.ts";

const ADDRESSES = 1_000;
/** More than an index has places for strangers. */
const INDEX_HALF_OPEN = INDEX_STRANGERS_MAX + ADDRESSES;
const HONEST = "fd00:0:0:2::1";
/**
 * Keys that the machine proves at the same time: more than the index has places for those that are
 * known.
 */
const KEYS = 700;

const of = (number: number): string => `fd00:0:0:1::${(number % ADDRESSES + 1).toString(16)}`;
const added = Array.from({ length: ADDRESSES }, (_, number) => of(number)).concat(HONEST);
await ip("link set lo up");
await ip(...added.map((address) => `address add ${address}/128 dev lo nodad`));

const complaints = await besideCrowd(async (crowd, target) => {
  await halfOpen(crowd, target, { toIndex: INDEX_HALF_OPEN, from: of });
  await proven(crowd, target, { count: KEYS, from: of });
}, HONEST);
console.log(JSON.stringify(complaints));

/** Changes addresses, all in one call. */
async function ip(...commands: string[]): Promise<void> {
  const child = new Deno.Command("ip", { args: ["-batch", "-"], stdin: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(commands.join("\n") + "\n"));
  await writer.close();
  if (!(await child.status).success) throw new Error(`Cannot do ${commands[0]}`);
}
