import { assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import {
  digestAt,
  digestOf,
  PIECE_BYTES,
  pieceCount,
  pieceRange,
  rootOf,
  sameBytes,
} from "../../../lib/core/content.ts";

Deno.test("pieces cover a file of any size, byte for byte", () => {
  for (const size of [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 10 * PIECE_BYTES, 2 ** 40 + 1]) {
    const pieces = pieceCount(size);
    assertEquals(pieces === 0 ? 0 : pieceRange(pieces - 1, size).end, size);
    assertEquals(pieces > 1 ? pieceRange(1, size).start : PIECE_BYTES, PIECE_BYTES);
  }
});

Deno.test("rootOf() is SHA-256 over the SHA-256 digests of the pieces", () => {
  const [first, second] = [digestOf(new Uint8Array([1])), digestOf(new Uint8Array([2]))];
  const digests = new Uint8Array([...first, ...second]);
  assertEquals(rootOf(digests), createHash("sha256").update(first).update(second).digest("hex"));
  assertEquals(rootOf(new Uint8Array(0)), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assertEquals(sameBytes(digestAt(digests, 1), second), true);
  assertEquals(sameBytes(digestAt(digests, 0), second), false);
});
