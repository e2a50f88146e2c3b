import { assert, assertEquals, assertRejects } from "@std/assert";
import { PIECE_BYTES } from "../../../../lib/core/content.ts";
import { Failure } from "../../../../lib/core/failure.ts";
import { gunzip, gzip, mayShrink } from "../../../../lib/transfer/pieces/compress.ts";
import { seededRandom } from "../../../support/seeded_random.ts";
import { randomBytes } from "../../../support/temp.ts";

const TEXT = new TextEncoder().encode("all work and no play makes a dull file\n".repeat(20_000)).slice(0, PIECE_BYTES);

Deno.test("gunzip() restores every byte that gzip() compressed", async () => {
  for (const size of [1, 1000, TEXT.length]) {
    const bytes = TEXT.slice(0, size);
    const packed = await gzip(bytes);
    if (size < 100) assertEquals(packed, undefined);
    else {
      assert(packed !== undefined && packed.length < size / 5);
      const target = new Uint8Array(size);
      await gunzip(packed.slice(), target);
      assertEquals(target, bytes);
    }
  }
});

Deno.test("gzip() gives nothing for bytes that do not shrink", async () => {
  assertEquals(await gzip(randomBytes(100_000, seededRandom(1))), undefined);
  for (const name of ["a.mp4", "b.JPG", "c/d.zip", "e.docx"]) assert(!mayShrink(name), name);
  for (const name of ["a.txt", "b.csv", "c", "mp4", "d.tar"]) assert(mayShrink(name), name);
});

Deno.test("gunzip() rejects a bomb, a truncated body and garbage, and never writes beyond the target", async () => {
  const bomb = await gzip(new Uint8Array(PIECE_BYTES));
  assert(bomb !== undefined);
  const packed = await gzip(TEXT.slice(0, 10_000));
  assert(packed !== undefined);
  const cases: [Uint8Array<ArrayBuffer>, number][] = [
    [bomb.slice(), 1000],
    [packed.slice(), 10_001],
    [packed.slice(0, -20), 10_000],
    [randomBytes(500, seededRandom(2)), 10_000],
    [new Uint8Array(0), 5],
  ];
  for (const [bytes, size] of cases) {
    const target = new Uint8Array(size);
    assertEquals((await assertRejects(() => gunzip(bytes, target), Failure)).code, "corrupt");
  }
});
