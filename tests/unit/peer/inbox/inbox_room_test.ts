import { assertEquals, assertMatch } from "@std/assert";
import { type InboxBounds, type InboxFile, roomFor } from "../../../../lib/peer/inbox/inbox_room.ts";

const BOUNDS: InboxBounds = { bytes: 100, bytesPerSender: 50, files: 5, filesPerSender: 3 };

/** Files as words: `ana:30` is whole, `ana+30` is running, `ana-30` is interrupted. */
function held(words: string): InboxFile[] {
  return words.split(" ").filter((word) => word !== "").map((word, index) => {
    const [, sender = "", sign = "", size] = /^(\w+)([:+-])(\d+)$/.exec(word) ?? [];
    const state = sign === ":" ? "whole" : sign === "+" ? "running" : "interrupted";
    return { number: index + 1, sender, size: Number(size), state };
  });
}

Deno.test("roomFor() deletes interrupted files for a file that fits beside the others", () => {
  const cases: [there: string, put: string, answer: number[] | RegExp][] = [
    // The quota.
    ["", "ana:50", []],
    ["", "ana:0", []],
    ["rui:40 eva:20", "ana:40", []],
    ["rui:40 eva:21", "ana:40", /room for 39 B/],
    ["rui:40 eva+21", "ana:40", /room for 39 B/],
    ["rui:50 eva:50", "ana:1", /room for 0 B/],
    // Neither bound has room for the file. The one that leaves less room is reported.
    ["rui:20 ana:30", "ana:60", /one peer may have 50 B there, and you have 30 B/],
    ["rui:70", "ana:60", /room for 30 B/],
    ["rui:50 eva:50", "ana:0", []],
    // The inbox holds more than the quota, which was larger before.
    ["rui:90 eva:50", "ana:1", /room for 0 B/],
    // The share of one sender.
    ["", "ana:51", /one peer may have 50 B there, and you have 0 B/],
    ["ana:30", "ana:20", []],
    ["ana:30", "ana:21", /and you have 30 B/],
    ["ana+30", "ana:21", /and you have 30 B/],
    ["rui:30", "ana:50", []],
    // Interrupted files give way, the oldest first, and no more of them than necessary.
    ["rui-40 eva-40", "ana:20", []],
    ["rui-40 eva-40", "ana:21", [1]],
    ["rui-40 eva-40", "ana:50", [1]],
    ["rui:40 eva-40 leo-20", "ana:40", [2]],
    ["rui:50 eva-10 leo-20", "ana:50", [2, 3]],
    ["ana-30", "ana:21", [1]],
    ["rui-10 ana-30 ana-15", "ana:21", [2]],
    ["rui:49 eva-20 ana-30", "ana:45", [3, 2]],
    ["rui:51 eva-20 ana-30", "ana:50", /room for 49 B/],
    // Numbers of files.
    ["ana:1 ana:1 ana:1", "ana:1", /you already have 3 files there/],
    ["ana:1 ana+1 ana-1", "ana:1", [3]],
    ["a:1 b:1 c:1 d:1 e:1", "ana:1", /it already has 5 files/],
    ["a:1 b:1 c-1 d:1 e-1", "ana:1", [3]],
  ];
  for (const [there, put, answer] of cases) {
    const [{ sender, size } = { sender: "", size: 0 }] = held(put);
    const verdict = roomFor({ sender, size }, held(there), BOUNDS);
    const what = `${put} beside ${there}`;
    if (verdict.kind === "accepted") assertEquals<unknown>(verdict.toDelete, answer, what);
    else {
      assertEquals(verdict.failure.code, "refused", what);
      assertMatch(verdict.failure.message, answer instanceof RegExp ? answer : /should fit/, what);
    }
  }
});

Deno.test("roomFor() never exceeds the bounds, whatever the inbox holds", () => {
  const state = ["whole", "running", "interrupted"] as const;
  for (let seed = 0; seed < 2_000; seed++) {
    const files: InboxFile[] = [];
    for (let number = 1; number <= 12; number++) {
      const offered = { sender: "abc".charAt((seed * 7 + number * 5) % 3), size: (seed * 31 + number * 17) % 37 };
      const verdict = roomFor(offered, files, BOUNDS);
      if (verdict.kind === "refused") continue;
      const staying = files.filter((file) => !verdict.toDelete.includes(file.number));
      assertEquals(files.filter((file) => !staying.includes(file)).every((file) => file.state === "interrupted"), true);
      files.splice(0, Infinity, ...staying, { ...offered, number, state: state[(seed + number) % 3] ?? "whole" });
      const own = files.filter(({ sender }) => sender === offered.sender);
      const bytes = (all: InboxFile[]): number => all.reduce((sum, { size }) => sum + size, 0);
      const within = bytes(files) <= 100 && bytes(own) <= 50 && files.length <= 5 && own.length <= 3;
      assertEquals(within, true, `${seed}: ${JSON.stringify(files)}`);
    }
  }
});
