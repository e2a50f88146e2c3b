import { assert, assertEquals } from "@std/assert";
import type { Failure } from "../../../../lib/core/failure.ts";
import { LINES_HELD_MAX } from "../../../../lib/core/limits.ts";
import { LineStream } from "../../../../lib/core/flow/line_stream.ts";
import { eventually } from "../../../support/wait.ts";

/** A disk that takes so many bytes. */
class Disk {
  text = "";
  room = Infinity;

  writeSync(bytes: Uint8Array): number {
    if (this.room === 0) throw new Error("No space left on device (os error 28)");
    const taken = bytes.subarray(0, this.room);
    this.room -= taken.length;
    this.text += new TextDecoder().decode(taken);
    return taken.length;
  }
}

Deno.test("LineStream writes all lines in order, many at a time, the last of them when it is closed", async () => {
  const writes: string[] = [];
  const target = { writeSync: (bytes: Uint8Array) => writes.push(new TextDecoder().decode(bytes)) && bytes.length };
  {
    using log = new LineStream(target, { pauseMs: 20 });
    log.write("a");
    log.write("b");
    await eventually("they are written", () => writes.length > 0);
    log.write("c");
  }
  assertEquals(writes, ["a\nb\n", "c\n"]);
});

Deno.test("LineStream continues when nobody reads any more, and reports that once", () => {
  let closed = 0;
  using log = new LineStream({
    writeSync: () => {
      throw new Deno.errors.BrokenPipe("gone");
    },
  }, { onClosed: () => closed += 1 });
  log.write("a");
  log.write("b");
  assertEquals([closed, log.failure], [1, undefined]);
});

Deno.test("LineStream keeps lines while the disk is full, and later counts the lost ones", async () => {
  const disk = new Disk();
  disk.room = 7;
  const held: Failure[] = [];
  using log = new LineStream(disk, {
    name: "the log",
    onHeld: (failure) => held.push(failure),
    afterwards: ({ message }, lost) => `${message}; ${lost} lost`,
  });
  for (let line = 0; line < LINES_HELD_MAX + 10; line++) log.write(`line ${line}`);
  assertEquals(held.map(({ code, message }) => [code, message]), [
    ["disk-full", "Cannot write on the log: no space left on device"],
  ]);
  assertEquals(log.failure, held[0]);
  disk.room = Infinity;
  await eventually("there is room again", () => log.failure === undefined);
  const lines = disk.text.trimEnd().split("\n");
  assertEquals(lines.slice(0, 3), ["line 0", "line 1", "line 2"]);
  const last = lines.at(-1) ?? "";
  assertEquals(lines.slice(0, -1), Array.from({ length: lines.length - 1 }, (_, line) => `line ${line}`));
  const lost = LINES_HELD_MAX + 10 - (lines.length - 1);
  assert(lost > 0);
  assertEquals(last, `Cannot write on the log: no space left on device; ${lost} lost`);
});
