import { assertEquals } from "@std/assert";
import { hashWorkers, ServedTime } from "../../../../lib/store/share/hash_policy.ts";

const MIB = 1024 ** 2;

Deno.test("hashWorkers() uses all processors when nobody downloads, and none when somebody does", () => {
  const table: [why: string, cores: number, files: number, bytes: number, servingMs: number, workers: number][] = [
    ["one small file", 8, 1, 100, 0, 1],
    ["one large file is hashed by one worker", 8, 1, 8192 * MIB, 0, 1],
    ["two large files", 8, 2, 8192 * MIB, 0, 2],
    ["many large files", 4, 100, 8192 * MIB, 0, 4],
    ["no more workers than processors", 1, 100, 8192 * MIB, 0, 1],
    ["a bounded number on a large machine", 64, 1000, 8192 * MIB, 0, 8],
    ["a few small files are not worth a second worker", 8, 100, 100 * 4096, 0, 1],
    ["ten thousand small files are worth three", 8, 10_000, 10_000 * 4096, 0, 3],
    ["somebody downloads", 8, 100, 8192 * MIB, 1, 0],
    ["somebody has downloaded for a while", 8, 100, 8192 * MIB, 59_999, 0],
    ["somebody always downloads", 8, 100, 8192 * MIB, 60_000, 1],
  ];
  for (const [why, cores, files, bytes, servingMs, workers] of table) {
    assertEquals(hashWorkers({ cores, files, bytes, servingMs }), workers, why);
  }
});

/** Seconds of ten minutes without any hashing, when somebody downloads in these seconds. */
function pausedSeconds(downloads: (second: number) => boolean): number {
  const served = new ServedTime();
  let paused = 0;
  for (let second = 0; second < 600; second++) {
    const nowMs = second * 1_000;
    if (downloads(second)) served.begin(nowMs);
    if (downloads(second)) served.end(nowMs + 999);
    const load = { cores: 1, files: 100, bytes: 8192 * MIB, servingMs: served.ms(nowMs + 999) };
    if (hashWorkers(load) === 0) paused += 1;
  }
  return paused;
}

Deno.test("ServedTime counts downloads with breaks of a few seconds as one", () => {
  assertEquals(pausedSeconds(() => false), 0);
  assertEquals(pausedSeconds((second) => second < 30), 30);
  assertEquals(pausedSeconds(() => true), 60);
  assertEquals(pausedSeconds((second) => second % 60 < 57), 57);
  assertEquals(pausedSeconds((second) => second % 60 < 30), 300);
});

Deno.test("ServedTime begins again when there was nothing to hash", () => {
  const served = new ServedTime();
  served.begin(0);
  assertEquals([served.ms(0), served.ms(50_000)], [1, 50_000]);
  served.restart();
  assertEquals([served.ms(60_000), served.ms(61_000)], [1, 1_000]);
});
