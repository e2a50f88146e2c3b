import { assertEquals, assertNotEquals } from "@std/assert";
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

Deno.test("rootOf() is SHA-256 over the size and the SHA-256 digests of the pieces", () => {
  const [first, second] = [digestOf(new Uint8Array([1])), digestOf(new Uint8Array([2]))];
  const digests = new Uint8Array([...first, ...second]);
  const size = new Uint8Array([0, 0, 2, 0, 0, 0, 0, 5]);
  assertEquals(rootOf(2 ** 41 + 5, digests), createHash("sha256").update(size).update(digests).digest("hex"));
  assertEquals(rootOf(0, new Uint8Array(0)), "af5570f5a1810b7af78caf4bc70a660f0df51e42baf91d4de5b2328de0e83dfc");
  assertNotEquals(rootOf(1, digests), rootOf(2, digests));
  assertEquals(sameBytes(digestAt(digests, 1), second), true);
  assertEquals(sameBytes(digestAt(digests, 0), second), false);
});
