import { assertEquals, assertRejects } from "@std/assert";
import { joinBytes, readFull, readFullSync, writeAll, writeAllSync } from "../../../lib/core/bytes.ts";

const BYTES = Uint8Array.from({ length: 10 }, (_, index) => index);

/** Moves at most three bytes a call. */
class Narrow {
  readonly written: number[] = [];
  #at = 0;

  read(target: Uint8Array): Promise<number | null> {
    return Promise.resolve(this.readSync(target));
  }

  readSync(target: Uint8Array): number | null {
    const part = BYTES.subarray(this.#at, this.#at + Math.min(3, target.length));
    target.set(part);
    this.#at += part.length;
    return part.length === 0 ? null : part.length;
  }

  write(bytes: Uint8Array): Promise<number> {
    return Promise.resolve(this.writeSync(bytes));
  }

  writeSync(bytes: Uint8Array): number {
    const part = bytes.subarray(0, 3);
    this.written.push(...part);
    return part.length;
  }
}

Deno.test("writeAll() goes on until everything is written", async () => {
  const [target, sync] = [new Narrow(), new Narrow()];
  await writeAll(target, BYTES);
  writeAllSync(sync, BYTES);
  assertEquals([target.written, sync.written], [[...BYTES], [...BYTES]]);
});

Deno.test("writeAll() fails as the write does", async () => {
  await assertRejects(() => writeAll({ write: () => Promise.reject(new Error("full")) }, BYTES), Error, "full");
});

Deno.test("readFull() fills the buffer and leaves the rest", async () => {
  const source = new Narrow();
  const buffer = new Uint8Array(7);
  assertEquals(await readFull(source, buffer), 7);
  assertEquals(buffer, BYTES.subarray(0, 7));
  assertEquals(readFullSync(source, buffer.subarray(0, 3)), 3);
});

Deno.test("readFull() returns how many bytes there were before the end", async () => {
  assertEquals(await readFull(new Narrow(), new Uint8Array(11)), 10);
  assertEquals(readFullSync(new Narrow(), new Uint8Array(11)), 10);
  assertEquals(await readFull(new Narrow(), new Uint8Array(0)), 0);
});

Deno.test("joinBytes() keeps the order and does not copy a single piece", () => {
  assertEquals(joinBytes([BYTES.subarray(0, 4), new Uint8Array(0), BYTES.subarray(4)]), BYTES);
  assertEquals(joinBytes([BYTES]) === BYTES, true);
  assertEquals(joinBytes([]).length, 0);
});
