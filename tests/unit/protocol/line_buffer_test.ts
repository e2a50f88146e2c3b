import { assert, assertEquals, assertThrows } from "@std/assert";
import { Failure } from "../../../lib/core/failure.ts";
import { randomBelow } from "../../../lib/core/random.ts";
import { LineBuffer } from "../../../lib/protocol/line_buffer.ts";
import { seededRandom } from "../../support/seeded_random.ts";

const STREAM = new TextEncoder().encode('{"a":1}\n\n{"b":"学"}\r\nrest');

function linesOf(buffer: LineBuffer): string[] {
  const lines: string[] = [];
  for (let line; (line = buffer.line()) !== undefined;) lines.push(new TextDecoder().decode(line));
  return lines;
}

Deno.test("LineBuffer gives the same lines one byte at a time, at once, and cut anywhere", () => {
  const cuts = [STREAM.length, 1, ...Array.from({ length: 50 }, (_, seed) => -seed)];
  for (const cut of cuts) {
    const random = seededRandom(cut);
    const buffer = new LineBuffer(64);
    const lines: string[] = [];
    for (let at = 0; at < STREAM.length;) {
      const size = cut > 0 ? cut : 1 + randomBelow(random, 9);
      const chunk = STREAM.subarray(at, at + size);
      if (random() < 0.5) buffer.push(chunk);
      else buffer.give(new Uint8Array([...chunk, ...new Uint8Array(randomBelow(random, 9))]), chunk.length);
      at += size;
      lines.push(...linesOf(buffer));
    }
    assertEquals(lines, ['{"a":1}', "", '{"b":"学"}'], `cut ${cut}`);
    const rest = new Uint8Array(10);
    assertEquals([buffer.take(rest), buffer.size], [4, 0]);
    assertEquals(new TextDecoder().decode(rest.subarray(0, 4)), "rest");
  }
});

Deno.test("LineBuffer fails as soon as a line is too long, complete or not", () => {
  const exact = new LineBuffer(8);
  exact.push(new TextEncoder().encode("12345678\n"));
  assertEquals(linesOf(exact), ["12345678"]);
  for (const text of ["123456789", "123456789\n", "ok\n123456789"]) {
    const buffer = new LineBuffer(8);
    buffer.push(new TextEncoder().encode(text));
    assertEquals(assertThrows(() => linesOf(buffer), Failure).code, "too-large", text);
  }
});

Deno.test("LineBuffer hands a body back byte for byte between lines", () => {
  const buffer = new LineBuffer(64);
  buffer.push(new TextEncoder().encode("head\nBO\nDYnext\n"));
  assertEquals(new TextDecoder().decode(buffer.line()), "head");
  const body = new Uint8Array(5);
  assertEquals(buffer.take(body), 5);
  assertEquals(new TextDecoder().decode(body), "BO\nDY");
  assertEquals(linesOf(buffer), ["next"]);
});

Deno.test("LineBuffer takes linear time for a line that trickles in", () => {
  const buffer = new LineBuffer(1 << 20);
  const start = performance.now();
  for (let byte = 0; byte < 200_000; byte++) {
    buffer.push(new Uint8Array([0x61]));
    assert(buffer.line() === undefined);
  }
  buffer.push(new Uint8Array([0x0a]));
  assertEquals(buffer.line()?.length, 200_000);
  // Quadratic work on this would take minutes; the bound only has to tell the two apart.
  assert(performance.now() - start < 20_000);
});
