import { assert, assertEquals } from "@std/assert";
import { LINE_BYTES_MAX } from "../../../lib/core/limits.ts";
import { batches, fitting } from "../../../lib/protocol/batch.ts";

/** Names as long as they get, of characters that take the most room in JSON. */
const LONG = Array.from(
  { length: 300 },
  (_, number) => ({ name: String(number) + "\u001b".repeat(1000), size: number }),
);

function bytesOf(items: readonly unknown[]): number {
  return new TextEncoder().encode(JSON.stringify(items)).length;
}

Deno.test("fitting() gives as much of a list as fits into a line, in order", () => {
  const short = LONG.slice(0, 5);
  assertEquals(fitting(short), short);
  assertEquals(fitting([]), []);
  const fits = fitting(LONG);
  assert(fits.length > 20 && fits.length < LONG.length);
  assertEquals(fits, LONG.slice(0, fits.length));
  assert(bytesOf(fits) < LINE_BYTES_MAX && bytesOf(LONG.slice(0, fits.length + 2)) > LINE_BYTES_MAX - 4096);
});

Deno.test("batches() gives everything once, in parts that fit and are not too many", () => {
  const parts = [...batches(LONG, 1000)];
  assertEquals(parts.flat(), LONG);
  assert(parts.length > 5 && parts.every((part) => bytesOf(part) < LINE_BYTES_MAX));
  assertEquals([...batches([1, 2, 3, 4, 5], 2)], [[1, 2], [3, 4], [5]]);
  assertEquals([...batches([], 2)], []);
});
