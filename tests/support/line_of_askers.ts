/**
 * Many peers that ask one for its files at the same time, each for one after the other. Prints who
 * got a file when, whether the places in line that were told were true, and how long a LIST took
 * meanwhile. Arguments: port, how many, how many files each.
 * @module
 */

import { ask, greet } from "../../lib/net/caller.ts";
import { dial } from "../../lib/net/dial.ts";
import { Identity } from "../../lib/net/identity.ts";
import { Download, List, Queued } from "../../lib/protocol/files.ts";

/** Answers that may be under way when a place is told. */
const UNDER_WAY_MAX = 4;

const [port = 0, count = 0, files = 0] = Deno.args.map(Number);
const address = { host: "127.0.0.1", port };

const order: number[] = [];
let told = 0;
let wrongPlaces = 0;

async function asker(number: number): Promise<void> {
  using connection = await dial(address);
  await greet(connection, { name: `asker ${number}`, identity: await Identity.make() });
  for (let file = 0; file < files; file++) {
    let first: { readonly before: number; readonly servedThen: number } | undefined;
    let last = 0;
    const reply = await ask(connection, Download, { name: `film ${file}.bin`, start: 0 }, {
      waitMs: 60_000,
      onNews(event, data) {
        if (event !== Queued.event) return;
        told += 1;
        last = Queued.data.check(data, event).before;
        first ??= { before: last, servedThen: order.length };
      },
    });
    // Who waits for a first file is passed by nobody, so as many are served before as were said; a
    // few answers may be under way.
    const passed = first === undefined ? 0 : Math.abs(order.length - first.servedThen - first.before);
    if (file === 0 && passed > UNDER_WAY_MAX || last > UNDER_WAY_MAX) wrongPlaces += 1;
    order.push(number);
    const body = new Uint8Array(reply.bodyBytes);
    await connection.readBody(body);
  }
}

async function listMeanwhile(): Promise<number[]> {
  using connection = await dial(address);
  await greet(connection, { name: "lister", identity: await Identity.make() });
  const took: number[] = [];
  while (order.length < count * files / 2) {
    const start = performance.now();
    await ask(connection, List, { limit: 10 });
    took.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return took.sort((a, b) => a - b);
}

const [listMs] = await Promise.all([listMeanwhile(), ...Array.from({ length: count }, (_, number) => asker(number))]);
console.log(JSON.stringify({ order, listMs, wrongPlaces, told }));
Deno.exit(0);
