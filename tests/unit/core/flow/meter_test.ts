import { assert, assertEquals } from "@std/assert";
import { Meter } from "../../../../lib/core/flow/meter.ts";

Deno.test("Meter gives bytes per second over the last seconds", () => {
  const meter = new Meter();
  assertEquals(meter.bytesPerSecond(0), 0);
  for (let ms = 0; ms <= 10_000; ms += 10) meter.note(ms * 1000, ms);
  assertEquals(Math.round(meter.bytesPerSecond(10_000)), 1_000_000);
  for (let ms = 10_000; ms <= 20_000; ms += 10) meter.note(10_000_000 + (ms - 10_000) * 100, ms);
  assertEquals(Math.round(meter.bytesPerSecond(20_000)), 100_000);
});

Deno.test("Meter falls when nothing moves any more", () => {
  const meter = new Meter();
  meter.note(0, 0);
  meter.note(1_000_000, 1000);
  assertEquals(meter.bytesPerSecond(1000), 1_000_000);
  assert(meter.bytesPerSecond(10_000) < 110_000);
});
