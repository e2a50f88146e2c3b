/**
 * Many peers that request files of one peer at the same time, each one file after the other. Prints
 * which peer got a file when, whether the reported places in line were true, and how long a LIST
 * took meanwhile. Arguments: port, number of peers, number of files for each.
 * @module
 */

import { ask, greet } from "../../lib/net/caller.ts";
import { dial } from "../../lib/net/dial.ts";
import { Identity } from "../../lib/net/identity.ts";
import { Download, List, Queued } from "../../lib/protocol/files.ts";

/** How many answers may be under way when a place is reported. */
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
    // No peer overtakes one that waits for its first file. So as many are served before it as were
    // reported, give or take a few answers that are under way.
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
