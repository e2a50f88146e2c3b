import { assertEquals } from "@std/assert";
import { digestOf } from "../../../../lib/core/content.ts";
import { PIECES_LOOKED_UP_MAX } from "../../../../lib/core/limits.ts";
import { PieceSet } from "../../../../lib/core/piece_set.ts";
import { PieceLookUp } from "../../../../lib/store/share/piece_lookup.ts";

/** The digests of pieces that are written as letters. */
function digestsOf(pieces: string): Uint8Array {
  return new Uint8Array([...pieces].flatMap((piece) => [...digestOf(new TextEncoder().encode(piece))]));
}

function setOf(count: number, ...pieces: number[]): PieceSet {
  const set = new PieceSet(count);
  for (const piece of pieces) set.add(piece);
  return set;
}

/** What one file after the other has of the wanted pieces, as `from>to`. */
function taken(wanted: string, here: readonly number[], ...files: string[]): string[] {
  const lookUp = new PieceLookUp(digestsOf(wanted), setOf(wanted.length, ...here));
  return files.map((file) => lookUp.take(digestsOf(file)).map(({ from, to }) => `${from}>${to}`).join(" "));
}

Deno.test("PieceLookUp finds the pieces that an older version has at the same places", () => {
  assertEquals(taken("abXd", [], "abcd"), ["0>0 1>1 3>3"]);
});

Deno.test("PieceLookUp finds pieces at other places, in the order of the file that has them", () => {
  assertEquals(taken("abcd", [], "XdYab"), ["1>3 3>0 4>1"]);
});

Deno.test("PieceLookUp finds every place of a piece that the wanted file has several times", () => {
  assertEquals(taken("abab", [], "ba"), ["0>1 0>3 1>0 1>2"]);
});

Deno.test("PieceLookUp does not find a piece that is here, nor one twice", () => {
  assertEquals(taken("abcd", [0, 2], "abcd", "abcd"), ["1>1 3>3", ""]);
});

Deno.test("PieceLookUp compares whole digests", () => {
  for (let byte = 0; byte < 32; byte++) {
    const wanted = digestsOf("a");
    wanted[byte] = (wanted[byte] ?? 0) ^ 1;
    assertEquals(new PieceLookUp(wanted, new PieceSet(1)).take(digestsOf("a")), [], `byte ${byte}`);
  }
});

Deno.test("PieceLookUp counts from the first piece that it is given", () => {
  const lookUp = new PieceLookUp(digestsOf("ab"), new PieceSet(2));
  assertEquals(lookUp.take(digestsOf("b"), 7), [{ from: 7, to: 1 }]);
  assertEquals(lookUp.isDone, false);
  assertEquals(lookUp.take(digestsOf("a"), 8), [{ from: 8, to: 0 }]);
  assertEquals(lookUp.isDone, true);
});

Deno.test("PieceLookUp looks for no more missing pieces than its bound", () => {
  const count = PIECES_LOOKED_UP_MAX + 10;
  const lookUp = new PieceLookUp(new Uint8Array(count * 32), setOf(count, 0, 1));
  const found = lookUp.take(new Uint8Array(32));
  assertEquals([found.length, found[0]?.to, found.at(-1)?.to], [PIECES_LOOKED_UP_MAX, 2, PIECES_LOOKED_UP_MAX + 1]);
});
