import { assert, assertEquals } from "@std/assert";
import { Failure } from "../../../../lib/core/failure.ts";
import type { TransferView } from "../../../../lib/peer/get/transfer.ts";
import { percentDone, plainProgress, progressLine } from "../../../../lib/shell/screen/progress.ts";
import { textWidth } from "../../../../lib/cli/style.ts";

const VIEW: TransferView = {
  id: 1,
  name: "aula 1.mp4",
  size: 8_000_000_000,
  state: "running",
  done: 3_440_000_000,
  bytesPerSecond: 112_000_000,
  leftMs: 40_700,
  sources: ["ana"],
  before: undefined,
  isAsking: false,
  retries: 0,
  failure: undefined,
};

Deno.test("progressLine() shows name, bar, percent, speed, time left and size", () => {
  assertEquals(
    progressLine(VIEW, 100),
    "aula 1.mp4  [############------------------]   43 %  112 MB/s  41 s left  3.44 GB of 8.00 GB",
  );
});

Deno.test("progressLine() fits every width, and drops the least important facts first", () => {
  const names = [
    "a",
    "a name that is far too long for any progress line there is.mp4",
    "学习资料学习资料学习资料.mp4",
    "x\u001b[2J\n",
  ];
  for (const name of names) {
    for (let columns = 10; columns < 200; columns++) {
      const line = progressLine({ ...VIEW, name }, columns);
      assert(textWidth(line) <= columns, `${columns}: ${line}`);
      assert(!/[\p{Cc}]/u.test(line));
    }
  }
  const at60 = progressLine(VIEW, 60);
  assert(at60.includes("43 %") && at60.includes("112 MB/s") && at60.includes("41 s left"), at60);
});

Deno.test("progressLine() says in words why nothing moves", () => {
  const says = (view: Partial<TransferView>): string =>
    progressLine({ ...VIEW, bytesPerSecond: 0, leftMs: undefined, ...view }, 120);
  assert(says({ state: "connecting" }).includes("connecting to ana"));
  assert(says({ state: "connecting", sources: [] }).includes("looking for peers that have it"));
  assert(says({ state: "checking" }).includes("checking what has arrived"));
  assert(says({ state: "waiting" }).includes("waiting for a peer that has it"));
  assert(says({ before: 3 }).includes("3 before you in line"));
  assert(says({ before: 0 }).includes("next in line"));
  assert(says({ state: "waiting", retries: 2 }).includes("2 failed attempts"));
  assert(says({ state: "paused" }).includes("paused"));
  assert(says({ sources: ["ana", "rui"] }).includes("2 sources"));
  assert(says({ state: "queued" }).includes("waiting for its turn"));
  assert(says({ state: "failed", failure: new Failure("closed", "gone") }).includes("failed"));
});

Deno.test("progressLine() shows why a download waits", () => {
  const waiting = (failure: Failure | undefined, columns = 120): string =>
    progressLine({ ...VIEW, state: "waiting", bytesPerSecond: 0, leftMs: undefined, failure }, columns);
  assert(waiting(new Failure("disk-full", "No room")).includes("waiting for room on the disk"));
  assert(waiting(new Failure("not-found", "No peer")).includes("waiting for a peer that has it"));
  const away = new Failure("index-unreachable", "The index at ana.example:1099 is away");
  assert(waiting(away).includes("waiting: The index at ana.example:1099 is away"), waiting(away));
  assert(waiting(away, 60).includes("%  waiting: "), waiting(away, 60));
});

Deno.test("percentDone() is 100 only when everything has arrived", () => {
  assertEquals([0, 99.99, 100].map((percent) => percentDone({ ...VIEW, done: 80_000_000 * percent })), [0, 99, 100]);
  assertEquals(percentDone({ ...VIEW, size: 0, done: 0 }), 100);
});

Deno.test("plainProgress() is one line without a bar", () => {
  assertEquals(plainProgress(VIEW), "aula 1.mp4: 43 %, 112 MB/s, 41 s left, 3.44 GB of 8.00 GB");
});
