import { assertEquals } from "@std/assert";
import { Bell } from "../../../../lib/core/flow/bell.ts";

/** Longer than any test waits. */
const LONG_MS = 600_000;

Deno.test("Bell wakes everybody who waits for the next ring", async () => {
  const bell = new Bell();
  const waits = [bell.next, bell.next];
  bell.ring();
  await Promise.all(waits);
});

Deno.test("Bell.next is not resolved by an earlier ring", async () => {
  const bell = new Bell();
  bell.ring();
  let isHeard = false;
  const waiting = bell.next.then(() => isHeard = true);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(isHeard, false);
  bell.ring();
  await waiting;
});

Deno.test("Bell.wait() hears a ring that came before it, once", async () => {
  const bell = new Bell();
  bell.ring();
  assertEquals(await bell.wait(LONG_MS), true);
  assertEquals(await bell.wait(0), false);
});

Deno.test("Bell.wait() ends at the next ring", async () => {
  const bell = new Bell();
  const waiting = bell.wait(LONG_MS);
  bell.ring();
  assertEquals(await waiting, true);
});
