import { assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../../../../lib/core/flow/clock.ts";

Deno.test("delay() ends with the signal's reason", async () => {
  const controller = new AbortController();
  const delay = systemClock.delay(60_000, controller.signal);
  controller.abort(new Error("enough"));
  assertEquals((await assertRejects(() => delay, Error)).message, "enough");
  await assertRejects(() => systemClock.delay(60_000, controller.signal), Error, "enough");
  await systemClock.delay(1, new AbortController().signal);
});
