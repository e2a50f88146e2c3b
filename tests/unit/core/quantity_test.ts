import { assertEquals, assertThrows } from "@std/assert";
import { Failure } from "../../../lib/core/failure.ts";
import {
  formatCount,
  formatDuration,
  formatRate,
  formatSize,
  parseRate,
  parseSize,
} from "../../../lib/core/quantity.ts";

Deno.test("parseSize() reads powers of 1000 and of 1024", () => {
  const cases: [string, number][] = [
    ["500", 500],
    ["0", 0],
    ["64KB", 64_000],
    ["64kb", 64_000],
    ["64K", 64_000],
    ["1.5GB", 1_500_000_000],
    ["16MiB", 16 * 1024 * 1024],
    ["2 TiB", 2 * 1024 ** 4],
  ];
  for (const [text, bytes] of cases) assertEquals(parseSize(text), bytes, text);
});

Deno.test("parseSize() refuses what is no size", () => {
  for (const text of ["", "x", "-1", "1.5.2GB", "1e9", "10PB", "KB", "9".repeat(30), "1 2", "Infinity"]) {
    assertEquals(assertThrows(() => parseSize(text), Failure).code, "usage", text);
  }
});

Deno.test("parseRate() takes sizes with or without /s, but not none", () => {
  assertEquals(parseRate("10MB/s"), 10_000_000);
  assertEquals(parseRate("10MB"), 10_000_000);
  assertThrows(() => parseRate("0"), Failure);
});

Deno.test("sizes, rates, durations and counts are written for people", () => {
  assertEquals([0, 999, 1000, 9_990, 64_000, 999_400, 999_600, 1_500_000_000, 8e12].map(formatSize), [
    "0 B",
    "999 B",
    "1.00 KB",
    "9.99 KB",
    "64.0 KB",
    "999 KB",
    "1.00 MB",
    "1.50 GB",
    "8.00 TB",
  ]);
  assertEquals(formatRate(112e6), "112 MB/s");
  assertEquals([40, 9_940, 9_990, 59_400, 59_600, 185_000, 7_800_000].map(formatDuration), [
    "0.0 s",
    "9.9 s",
    "10 s",
    "59 s",
    "1 min 00 s",
    "3 min 05 s",
    "2 h 10 min",
  ]);
  assertEquals([formatCount(1, "file"), formatCount(1204, "file"), formatCount(0, "match")], [
    "1 file",
    "1,204 files",
    "0 matches",
  ]);
});

Deno.test("parseRate() refuses bits, which a capital letter and a small b mean", () => {
  for (const bits of ["10Mb/s", "10Mbps", "1Gb", "8Mib/s", "5 Mbit/s", "100kbit"]) {
    assertEquals(assertThrows(() => parseRate(bits), Failure).code, "usage", bits);
  }
  for (const bytes of ["10MB/s", "10mb/s", "10M", "10kB/s"]) assertEquals(parseRate(bytes) >= 10_000, true, bytes);
});
