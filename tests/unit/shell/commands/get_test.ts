import { assertEquals, assertMatch } from "@std/assert";
import type { WantedFile } from "../../../../lib/peer/find/wanted.ts";
import { reportDone } from "../../../../lib/shell/commands/get.ts";
import { Output } from "../../../../lib/shell/screen/output.ts";

const WANTED: WantedFile = {
  kind: "file",
  name: "film.mp4",
  size: 3_000_000,
  root: "a".repeat(64),
  from: undefined,
  peers: [],
  others: 0,
};

/** What `get` reports about a file of 3 MB, with the bytes that two peers sent. */
function reported(json: boolean, bytes: readonly [ana: number, rui: number]): string[] {
  const results: string[] = [];
  const output = new Output({ json, debug: false });
  output.writeTo({ result: (text) => void results.push(text), note() {}, picture() {}, columns: () => Infinity });
  reportDone(output, WANTED, {
    path: "/ana/film.mp4",
    root: WANTED.root,
    size: WANTED.size,
    files: 1,
    alreadyHere: false,
    sources: [{ peer: "ana", bytes: bytes[0], ms: 1_000 }, { peer: "rui", bytes: bytes[1], ms: 1_000 }],
    firstMs: 5,
    failed: [],
    tookMs: 1_000,
  }, "/ana");
  return results;
}

Deno.test("get reports the size of the file when a piece came from two peers", () => {
  const twice = [2_000_000, 1_500_000] as const;
  assertMatch(reported(false, twice).join(), /film\.mp4: 3\.00 MB in .* from ana 2\.00 MB at .*, rui 1\.50 MB at/);
  const { fetched, bytesPerSecond } = JSON.parse(reported(true, twice).join());
  assertEquals([fetched, bytesPerSecond], [3_000_000, 3_000_000]);
});

Deno.test("get reports what it fetched when the rest of the file was here", () => {
  assertMatch(reported(false, [1_000_000, 500_000]).join(), /: fetched 1\.50 MB in .*; the rest was here$/);
});
