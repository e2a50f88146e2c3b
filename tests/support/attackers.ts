/**
 * Bad company for an index, from 127.0.0.1. Arguments: port, seconds, what: `halfopen N`, `loris
 * N`, `joins PERSECOND`, `lines N`, `lists N`.
 * @module
 */

import { BATCH_FILES_MAX } from "../../lib/core/limits.ts";
import { Update } from "../../lib/protocol/presence.ts";
import { Search } from "../../lib/protocol/search.ts";
import { IndexClient } from "./index_client.ts";

const [port = 0, seconds = 0] = Deno.args.map(Number);
const [what, countText] = Deno.args.slice(2);
const count = Number(countText);
const end = performance.now() + seconds * 1000;
const address = { hostname: "127.0.0.1", port };
const index = { host: "127.0.0.1", port };

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Does something again and again, however it fails. */
async function insist(work: () => Promise<void>): Promise<void> {
  while (performance.now() < end) {
    try {
      await work();
    } catch {
      await pause(20);
    }
  }
}

const ATTACKS: Record<string, (number: number) => Promise<void>> = {
  /** Connects and says nothing. */
  async halfopen() {
    using conn = await Deno.connect(address);
    await conn.read(new Uint8Array(100));
  },
  /** Says something so slowly that it never ends. */
  async loris() {
    using conn = await Deno.connect(address);
    for (const byte of new TextEncoder().encode('{"method":"HELLO","data":{"version":1,"software":"slow"')) {
      await conn.write(new Uint8Array([byte]));
      await pause(1_000);
    }
  },
  /** Joins, searches and leaves, as often as it can. */
  async joins(number) {
    await using client = await IndexClient.connect(index);
    await client.join(`joiner ${number} ${crypto.randomUUID().slice(0, 8)}`);
    await client.call(Search, { query: "a", exact: false, limit: 100, offset: 0 });
  },
  /** Sends a hundred megabytes without a line feed. */
  async lines() {
    using conn = await Deno.connect(address);
    const bytes = new Uint8Array(1_000_000).fill(0x61);
    for (let sent = 0; sent < 100; sent++) {
      for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
    }
  },
  /** Lists a million files. */
  async lists(number) {
    await using client = await IndexClient.connect(index);
    await client.join(`hoarder ${number} ${crypto.randomUUID().slice(0, 8)}`);
    for (let file = 0; file < 1_000_000; file += BATCH_FILES_MAX) {
      const add = Array.from(
        { length: BATCH_FILES_MAX },
        (_, at) => ({ name: `junk ${number} ${file + at}`, size: 1 }),
      );
      await client.call(Update, { add, remove: [] });
    }
  },
};

const attack = ATTACKS[what ?? ""];
if (attack === undefined) throw new Error(`There is no ${what}`);
await Promise.all(Array.from({ length: count }, (_, number) => insist(() => attack(number))));
Deno.exit(0);
