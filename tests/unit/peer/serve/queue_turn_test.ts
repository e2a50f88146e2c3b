import { assert, assertEquals } from "@std/assert";
import { inOrder } from "../../../../lib/peer/serve/fair_queue.ts";
import { judgeTurn, QueueTurn, type TurnState } from "../../../../lib/peer/serve/queue_turn.ts";

/** Three seconds in which the sender always waited for the receiver. */
const WAITED = { ms: 3_000, waitedMs: 3_000 };

const VERDICTS: [situation: string, turn: Partial<TurnState>, verdict: ReturnType<typeof judgeTurn>][] = [
  ["a turn that has just begun", { heldMs: 100 }, "goes on"],
  ["a fast receiver", { heldMs: 4_000, window: { ...WAITED, bytes: 30_000_000 } }, "goes on"],
  ["a receiver of 280 kB/s", { heldMs: 4_000, window: { ...WAITED, bytes: 840_000 } }, "makes room"],
  ["one that takes nothing", { heldMs: 4_000, window: { ...WAITED, bytes: 0 } }, "makes room"],
  ["a slow one when nobody waits", { heldMs: 4_000, window: { ...WAITED, bytes: 0 }, isWanted: false }, "goes on"],
  [
    "the sender's own limit: the receiver takes at once what comes",
    { heldMs: 4_000, window: { ms: 3_000, waitedMs: 2, bytes: 75_000 } },
    "goes on",
  ],
  [
    "the sender's slow disk, and a receiver that is half of the cause",
    { heldMs: 4_000, window: { ms: 3_000, waitedMs: 1_400, bytes: 300_000 } },
    "goes on",
  ],
  ["a receiver just above the minimum", { heldMs: 4_000, window: { ...WAITED, bytes: 1_600_000 } }, "goes on"],
  ["the same for long", { heldMs: 10_000, window: { ...WAITED, bytes: 1_600_000 } }, "ends"],
  ["a fast one for long", { heldMs: 10_000, window: { ...WAITED, bytes: 300_000_000 } }, "ends"],
  ["a fast one for long when nobody waits", { heldMs: 600_000, isWanted: false }, "goes on"],
];

Deno.test("judgeTurn() decides as the table says", () => {
  for (const [situation, turn, verdict] of VERDICTS) {
    assertEquals(judgeTurn({ heldMs: 0, window: undefined, isWanted: true, ...turn }), verdict, situation);
  }
});

/** Reads `ana@1 held 2/3 turns 0/1`: the numbers of the key and of the address. */
function waiting(text: string): Parameters<typeof inOrder>[0][number] & { readonly name: string } {
  const [, key = "", address = "", heldKey, heldAddress, turnsKey, turnsAddress] =
    /^(\w+)@(\d+) held (\d+)\/(\d+) turns (\d+)\/(\d+)$/.exec(text) ?? [];
  return {
    name: key,
    asker: { key, address },
    held: { key: Number(heldKey), address: Number(heldAddress) },
    turns: { key: Number(turnsKey), address: Number(turnsAddress) },
  };
}

const ORDERS: [situation: string, line: string[], order: string][] = [
  ["equals in the order in which they came", ["b@1 held 0/0 turns 1/2", "a@1 held 0/0 turns 1/2"], "b a"],
  ["one that had fewer turns", ["b@1 held 0/0 turns 2/2", "a@1 held 0/0 turns 1/2"], "a b"],
  ["a key that holds slots waits", ["b@1 held 1/1 turns 0/0", "a@1 held 0/1 turns 9/9"], "a b"],
  ["an address that holds slots under other keys waits", ["b@1 held 0/8 turns 0/0", "a@2 held 0/0 turns 9/9"], "a b"],
  ["a key that holds slots from other addresses waits", ["b@9 held 8/0 turns 0/0", "a@2 held 0/1 turns 1/1"], "a b"],
  ["an address that had turns under other keys waits", ["b@1 held 0/1 turns 0/9", "a@2 held 0/1 turns 1/1"], "a b"],
];

Deno.test("inOrder() sorts as the table says", () => {
  for (const [situation, line, order] of ORDERS) {
    assertEquals(inOrder(line.map(waiting)).map(({ name }) => name).join(" "), order, situation);
  }
});

Deno.test("QueueTurn judges by the time spent waiting for the receiver in the last complete window", () => {
  let nowMs = 0;
  let ended = 0;
  const turn = new QueueTurn({ now: () => nowMs, delay: () => Promise.resolve() }, () => ended += 1);
  // For four seconds the sender waits only for its own pace.
  for (; nowMs < 4_000; nowMs += 100) {
    turn.waits();
    turn.took(1_000);
  }
  assertEquals(turn.judge(), "goes on");
  // Then the receiver reads nothing more.
  turn.waits();
  nowMs = 5_900;
  assertEquals(turn.judge(), "goes on");
  nowMs = 9_100;
  assertEquals(turn.judge(), "makes room");
  turn.cut();
  assert(turn.isOver && turn.signal.aborted);
  turn[Symbol.dispose]();
  turn[Symbol.dispose]();
  assertEquals(ended, 1);
});
