/**
 * What --up and --down promise, on the clock: run alone. Too fast is caught to within five per
 * cent; too slow only roughly, since the machine may have other things to do.
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { PIECE_BYTES } from "../../lib/core/content.ts";
import type { TransferResult } from "../../lib/peer/get/transfer.ts";
import { gzip } from "../../lib/transfer/pieces/compress.ts";
import { Room, type RoomPeer } from "../support/room.ts";
import { seededRandom } from "../support/seeded_random.ts";
import { randomBytes, type TempFolder } from "../support/temp.ts";

/** How much faster than the rate is still the rate. */
const FASTER_MAX = 1.05;
/** How much slower, for what is no transfer and for what else the machine does. */
const SLOWER_MAX = 1.6;

async function get({ peer }: RoomPeer, what: string, options: { compress?: boolean } = {}): Promise<TransferResult> {
  return await peer.transfers.start(await peer.directory.resolve(what), { kind: "folder" }, options).result;
}

function assertRate(bytes: number, tookMs: number, rate: number, what: string): void {
  const measured = bytes / (tookMs / 1000);
  assert(measured <= rate * FASTER_MAX, `${what}: ${Math.round(measured)} B/s instead of ${rate}`);
  assert(measured >= rate / SLOWER_MAX, `${what}: ${Math.round(measured)} B/s instead of ${rate}`);
}

type Way = "down" | "up";

/** Each way in a room of its own, at the same time: they wait more than they work. */
async function bothWays(measure: (way: Way) => Promise<void>): Promise<void> {
  await Promise.all((["down", "up"] as const).map(measure));
}

/** A folder `d/` of equally large files, all hashed. */
async function share(room: Room, count: number, size: number, options: { up?: number } = {}): Promise<TempFolder> {
  const folder = await room.folder();
  for (let number = 0; number < count; number++) await folder.file(`d/${number}.bin`, size, number + 1);
  await room.peer("ana", folder, options);
  for (let number = 0; number < count; number++) await room.hashed("ana", `d/${number}.bin`);
  return folder;
}

for (const [count, size, rate] of [[1_500, 2_000, 500_000], [60, 50_000, 600_000], [3, 1_000_000, 600_000]] as const) {
  Deno.test(`--down and --up hold for ${count} files of ${size} bytes`, async () => {
    await bothWays(async (way) => {
      await using room = await Room.open();
      await share(room, count, size, way === "up" ? { up: rate } : {});
      const rui = await room.peer("rui", undefined, way === "down" ? { down: rate } : {});
      const { tookMs, failed } = await get(rui, "d/");
      assertEquals(failed, []);
      assertRate(count * size, tookMs, rate, `${way}, ${count} files`);
    });
  });
}

Deno.test("--down and --up hold for compressed files, counted by the bytes that travel", async () => {
  const bytes = new TextEncoder().encode(randomBytes(3 * PIECE_BYTES / 2, seededRandom(1)).toHex());
  let travelling = 0;
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    travelling += (await gzip(bytes.slice(start, start + PIECE_BYTES)))?.length ?? 0;
  }
  await bothWays(async (way) => {
    await using room = await Room.open();
    const shared = await room.folder();
    await Deno.writeFile(shared.at("a.txt"), bytes);
    await room.peer("ana", shared, way === "up" ? { up: 400_000 } : {});
    await room.hashed("ana", "a.txt");
    const rui = await room.peer("rui", undefined, way === "down" ? { down: 400_000 } : {});
    const { tookMs } = await get(rui, "a.txt", { compress: true });
    assertRate(travelling, tookMs, 400_000, way);
  });
});

Deno.test("--down and --up hold for lists", async () => {
  const count = 4_000;
  await bothWays(async (way) => {
    await using room = await Room.open();
    const shared = await room.folder();
    const name = (number: number): string => `${"a long name that makes a list long ".repeat(6)} ${number}`;
    for (let number = 0; number < count; number++) await Deno.writeTextFile(shared.at(name(number)), "");
    await room.peer("ana", shared, way === "up" ? { up: 300_000 } : {});
    const rui = await room.peer("rui", undefined, way === "down" ? { down: 300_000 } : {});
    const startMs = performance.now();
    const { rows } = await rui.peer.directory.list("ana");
    const tookMs = performance.now() - startMs;
    assertEquals(rows.length, count);
    // A row is at least its name, and has some more around it.
    assert(rows.length * name(0).length / (tookMs / 1000) <= 300_000 * FASTER_MAX, `${way}: ${tookMs} ms`);
  });
});
