import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { PIECE_BYTES } from "../../../../lib/core/content.ts";
import { PieceSet } from "../../../../lib/core/piece_set.ts";
import { seededRandom } from "../../../../lib/core/random.ts";
import { plan, type Step } from "../../../../lib/transfer/plan/plan.ts";
import type { DownloadState, PlannedSource } from "../../../../lib/transfer/plan/plan_state.ts";

/**
 * A source in words: its letter, then what is true of it. `a` is ready, has everything, and nobody knows its speed. `=8` it gives 8 pieces a
 * second, `[0-3]` it has only those, `(0-3)` it has given those away, `>0-3` it was asked for those, `@3000` and has given no piece for 3,000 ms,
 * `%40` though 40 % of one have come, `w` and says that we wait, `~2` it rests after two failures, `-` it gave nothing when it was last asked, `+` it
 * did, `x` it was dropped, `&3` three peers download from it, `#` all its upload slots are taken.
 */
function source(text: string, count: number): PlannedSource {
  const id = text.charAt(0);
  const value = (regexp: RegExp): string | undefined => regexp.exec(text.slice(1))?.[1];
  const pieces = (list: string | undefined): PieceSet | undefined => {
    return list === undefined ? undefined : setOf(list, count);
  };
  const asked = value(/>(\d+(?:-\d+)?)/)?.split("-").map(Number);
  const tries = value(/~(\d+)/);
  const speed = value(/=([\d.]+)/);
  return {
    id,
    state: text.includes("x") ? "dropped" : asked !== undefined ? "busy" : tries !== undefined ? "resting" : "ready",
    tries: Number(tries ?? 0),
    standing: text.endsWith("-") ? "bad" : text.endsWith("+") ? "good" : "new",
    bytesPerSecond: speed === undefined ? undefined : Number(speed) * PIECE_BYTES,
    has: pieces(value(/\[([\d,-]*)\]/)),
    given: pieces(value(/\(([\d,-]*)\)/)),
    asking: Number(value(/&(\d+)/) ?? 1),
    asked: asked && { start: (asked[0] ?? 0) * PIECE_BYTES, end: ((asked[1] ?? asked[0] ?? 0) + 1) * PIECE_BYTES },
    sinceMs: Number(value(/@(\d+)/) ?? 0),
    sinceBytes: Number(value(/%(\d+)/) ?? 0) / 100 * PIECE_BYTES,
    isWaiting: text.includes("w"),
    isFull: text.includes("#"),
  };
}

/** `0-3,7` */
function setOf(list: string, count: number): PieceSet {
  const set = new PieceSet(count);
  for (const part of list.split(",").filter((each) => each !== "")) {
    const [first = 0, last = first] = part.split("-").map(Number);
    for (let index = first; index <= last; index++) set.add(index);
  }
  return set;
}

function stateOf(count: number, here: string, sources: string, options: Partial<DownloadState> = {}): DownloadState {
  return {
    size: count * PIECE_BYTES,
    here: setOf(here, count),
    sources: sources.split(" ").filter((each) => each !== "").map((each) => source(each, count)),
    order: "rarest-first",
    triesMax: 4,
    idleMs: 0,
    idleMsMax: 60_000,
    waitMsMax: 3_600_000,
    bytesPerSecondMax: undefined,
    // Chance always takes the first.
    random: () => 0,
    ...options,
  };
}

/** `a:0-3 b:4`, or the kind of step. */
function told(step: Step): string {
  if (step.kind !== "fetch") return step.kind;
  return step.requests.map(({ source, range }) => {
    const [first, last] = [range.start / PIECE_BYTES, Math.ceil(range.end / PIECE_BYTES) - 1];
    return first === last ? `${source}:${first}` : `${source}:${first}-${last}`;
  }).join(" ");
}

const STREAM = { order: "in-order" } as const;
const LONG_IDLE = { idleMs: 60_000 };

const CASES: [
  situation: string,
  count: number,
  here: string,
  sources: string,
  step: string,
  options?: Partial<DownloadState>,
][] = [
  // The beginning and the end.
  ["everything is here", 4, "0-3", "a", "done"],
  ["everything is here, and nobody has it any more", 4, "0-3", "", "done"],
  ["a file of nothing is here from the start", 0, "", "a", "done"],
  ["nobody has it", 4, "", "", "fail"],
  ["a source of unknown speed is asked for a little", 100, "", "a", "a:0-3"],
  ["never for more than there is", 3, "", "a", "a:0-2"],
  ["a known source is asked for a second's worth", 100, "", "a=20", "a:0-19"],
  ["a very fast one for no more than a span", 1000, "", "a=900", "a:0-127"],
  ["a very slow one for one piece", 100, "", "a=0.1", "a:0"],
  ["the first hole first, and not over its edge", 100, "0-9,15-20", "a=20", "a:10-14"],
  ["what is here is never asked for", 10, "0-8", "a=20", "a:9"],

  // Several sources.
  ["two sources take different spans", 1000, "", "a=20 b=20", "a:0-19 b:20-39"],
  ["the fastest chooses first", 1000, "", "a=10 b=40", "b:0-39 a:40-49"],
  ["each according to its speed", 1000, "", "a=40 b=10", "a:0-39 b:40-49"],
  ["what one was asked for is not asked of another", 1000, "", "a=20>0-19 b=20", "b:20-39"],
  ["near the end all get their share, to end together", 30, "", "a=40 b=20", "a:0-19 b:20-23"],
  ["a new holder joins midway", 1000, "0-99", "a=20>100-119 b=20>120-139 c", "c:140-143"],
  [
    "eight sources, eight spans",
    1000,
    "",
    "a=5 b=5 c=5 d=5 e=5 f=5 g=5 h=5",
    [..."abcdefgh"].map((id, at) => {
      return `${id}:${at * 5}-${at * 5 + 4}`;
    }).join(" "),
  ],
  ["busy sources are left alone", 100, "", "a=20>0-19 b=20>20-39", "wait"],

  // Sources that fail.
  ["a source that rests is not asked", 100, "", "a~1 b=20", "b:0-19"],
  ["wait while all rest", 100, "", "a~1 b~3", "wait"],
  ["a dropped source is never asked again", 100, "", "ax b=20", "b:0-19"],
  ["fail when all were dropped", 100, "", "ax bx", "fail"],
  ["fail when all were tried often enough", 100, "", "a~4 b~4", "fail"],
  ["one that may still be tried is reason to wait", 100, "", "a~4 b~3", "wait"],
  ["fail when one was dropped and the other tried in vain", 100, "", "ax b~4", "fail"],
  ["a source that was tried in vain is not asked though it is ready", 100, "0-9", "a=20>10-29 b~4", "wait"],
  ["one that gave nothing when it was last asked chooses last", 6, "", "a=20- b=2", "b:0 a:1-5"],

  // Sources that are late.
  [
    "of a file, what a late source was asked for comes after what nobody was",
    100,
    "",
    "a=20>0-19@3000 b=10",
    "b:20-29",
  ],
  ["a late source alone is waited for", 100, "", "a=20>0-19@3000", "wait"],
  ["a late source does not hold up the end", 20, "0-14", "a=20>15-19@3000 b=20", "b:15-19"],
  ["also not with the first piece of what it was asked for", 20, "0-14,16-19", "a=20>15-19@3000 b=20", "b:15"],
  ["nor with one in the middle", 20, "0-15,18-19", "a=20>15-19@3000 b=20", "b:16-17"],
  ["two late sources do not keep a third from helping", 20, "0-18", "a=20>19@3000 b=20>19@3000 c=20", "c:19"],
  ["nor do many", 20, "0-18", "a>19@9000 b>19@9000 d>19@9000 e>19@9000 c=20", "c:19"],
  ["one late and two in time are enough", 20, "0-18", "a>19@9000 b=20>19 d=20>19 c=20", "wait"],
  ["nor do two that have not given anything yet, if it has", 20, "0-18", "a>19 b>19 c=20+", "c:19"],
  ["one that has not, waits", 20, "0-18", "a>19 b>19 c", "wait"],
  ["one that lets us wait is no source while another is", 20, "0-14", "a=20>15-19w b=20", "b:15-19"],
  ["nor while another waits, too", 20, "0-14", "a=20>15-19w b=20>15-19w c=1", "c:15-19"],
  ["alone it is waited for", 20, "0-14", "a=20>15-19w", "wait"],
  ["one that drips is helped before it counts as late", 20, "0-18", "a=20>19@1500%10 b=20", "b:19"],
  ["of known speed, not before it can have sent a piece", 20, "0-18", "a=0.5>19@1500 b=1", "b:19"],
  ["a slow one is not helped by one as slow", 20, "0-18", "a=0.5>19@1500 b=0.5", "wait"],
  ["two that have stalled do not keep a third from helping", 20, "0-18", "a=20>19@600+ b=20>19@600+ c=20+", "c:19", {
    idleMs: 600,
  }],
  [
    "while others give something, two that are in time are enough",
    20,
    "0-18",
    "a=20>19@600+ b=20>19@600+ c=20+",
    "wait",
  ],
  ["one that sends a piece slowly, but in time, has not stalled", 20, "0-18", "a=0.5>19@600%40 b=0.5", "wait", {
    idleMs: 600,
  }],
  ["at our own limit nobody has stalled", 20, "0-18", "a=1>19@600+ b=1>19@600+ c=1+", "wait", {
    idleMs: 600,
    bytesPerSecondMax: PIECE_BYTES,
  }],
  ["at our own limit nobody is late as soon", 20, "0-18", "a=0.5>19@3000 b=0.5", "wait", {
    bytesPerSecondMax: PIECE_BYTES / 2,
  }],
  ["fail when nothing comes and nobody says why", 20, "0-18", "a>19@60000", "fail", LONG_IDLE],
  ["nor from many", 20, "0-18", "a>19@60000 b>19@60000", "fail", LONG_IDLE],
  ["wait in a line as long as it takes", 20, "0-18", "a>19@60000w b~2", "wait", LONG_IDLE],
  ["but not for ever", 20, "0-18", "a>19@60000w", "fail", { idleMs: 3_600_000 }],
  ["wait for a piece that comes slowly", 20, "0-18", "a>19@60000%80", "wait", LONG_IDLE],
  ["but not for one that drips", 20, "0-18", "a>19@60000%8", "fail", LONG_IDLE],
  ["ask one that was never asked, however late it is", 20, "0-18", "a>19@60000 b", "b:19", LONG_IDLE],
  ["fail when only those are left that gave nothing", 20, "0-18", "a- b-", "fail", LONG_IDLE],

  // The last spans.
  ["who is done takes over the end of what the slowest has left", 20, "0-9", "a=2>10-19 b=8", "b:12-19"],
  ["equals share it", 20, "0-9", "a=5>10-19 b=5", "b:15-19"],
  ["but not what is nearly there", 20, "0-18", "a=50>19 b=1", "wait"],
  ["a single slow piece is asked for twice", 20, "0-18", "a=0.1>19 b=20", "b:19"],
  ["but never three times", 20, "0-18", "a=0.1>19 b=20>19 c=40", "wait"],
  ["the slowest of several is helped", 40, "0-19", "a=10>20-29 b=1>30-39 c=10", "c:31-39"],
  ["who does not have it cannot help", 20, "0-9", "a=2>10-19 b=8[0-9]", "wait"],

  // Sources whose upload slots are all taken.
  ["a full source is looked at again at first", 100, "", "a#", "wait"],
  ["after a second without a piece we wait in its line", 1000, "", "a#", "a:0-127", { idleMs: 1_000 }],
  ["later where a source that is not full may soon have something", 100, "", "a# b[]", "wait", { idleMs: 2_000 }],
  ["though not for long", 100, "", "a# b[]", "a:0-1", { idleMs: 3_000 }],
  ["not in two lines", 100, "", "aw>0-3 b#", "wait", { idleMs: 3_000 }],
  ["but in a second one when the first does not move", 100, "", "aw>0-3 b#", "b:4-7", { idleMs: 6_000 }],
  ["not while others give what they have", 100, "", "a=20#&2 b=20[0-9]", "b:0-9"],
  ["one that is not full is asked first", 100, "", "a=90# b=20", "b:0-18 a:19-85", { idleMs: 3_000 }],

  // A swarm.
  ["of one that has only parts, those", 100, "", "a[40-41]", "a:40-41"],
  ["one that has nothing new is waited for", 100, "0-9", "a[0-9]", "wait"],
  ["fail when nothing has come for long", 100, "0-9", "a[0-9]", "fail", LONG_IDLE],
  [
    "those with parts give what they have, the owner what nobody has",
    4,
    "",
    "a=1 b=1[0-2]&2 c=1[0-2]&2",
    "b:0 c:1 a:3",
  ],
  ["the rarest piece first", 4, "", "a=1[0-2] b=1>3[0-1,3] c=1>3[0-1]", "a:2"],
  ["the owner's pieces that it has not given away", 6, "", "a=9(0-3)&2", "a:4-5"],
  ["what it has given away when nothing else is left", 6, "4-5", "a=9(0-3)&2", "a:0-3"],
  ["a run ends where a piece is less rare", 8, "", "a=9(0-1,5-7)&2", "a:2-4"],
  ["what a late source says it has makes nothing less rare", 4, "", "a=1[0-2] b=1>3@3000[0-1,3] c=1>3[0-1]", "a:2"],
  ["one with parts that gave nothing relieves nobody", 4, "", "a=1 b=1[0-3]-", "a:0 b:1"],
  ["what it says about others makes no swarm", 100, "", "a=20&1 b=20&9- ", "a:0-19 b:20-39"],
  ["of one whose speed is not known, less than alone", 100, "", "a&2", "a:0-1"],
  ["what a source soon has is not asked for twice", 20, "0-18", "a=1>19&2 b=20&2", "wait"],
  ["what takes it long is", 20, "0-18", "a=0.4>19&2 b=20&2", "b:19"],
  ["alone, in order: a disk reads that best", 100, "", "a=20(0-50)", "a:0-19"],

  // A stream.
  ["a stream takes what comes next, rare or not", 100, "0-9", "a=20(10-20)&9 b=20[50-60]", "a:10-25", STREAM],
  ["with several sources no further ahead than its window", 1000, "0-9", "a=128 b=128", "a:10-25 b:26-41", STREAM],
  ["instead of going beyond it, a source helps within it", 1000, "0-9", "a=20>10-41 b=20", "b:26-41", STREAM],
  ["alone it has no window", 1000, "0-9", "a=900", "a:10-137", STREAM],
  ["what blocks the stream is asked for twice", 1000, "0-9,11-40", "a=0.1>10 b=20", "b:41", STREAM],
  ["at once when its source is late", 1000, "0-9,11-40", "a=9>10@3000 b=20", "b:10", STREAM],
  ["or lets us wait", 1000, "0-9,11-40", "a=9>10w b=20", "b:10", STREAM],
  ["also when nothing else may be asked for", 1000, "0-9,11-41", "a=0.1>10 b=20", "b:10", STREAM],
];

Deno.test("plan() does what the table says", () => {
  assertGreater(CASES.length, 40);
  const wrong = CASES.flatMap(([situation, count, here, sources, step, options]) => {
    const planned = told(plan(stateOf(count, here, sources, options)));
    return planned === step ? [] : [`${situation}: ${planned} instead of ${step}`];
  });
  assertEquals(wrong, []);
});

Deno.test("plan() takes the last piece for as long as it is, and asks for nothing beyond the file", () => {
  const size = 5 * PIECE_BYTES + 17;
  const step = plan({ ...stateOf(6, "", "a=20"), size });
  assertEquals(step, { kind: "fetch", requests: [{ source: "a", range: { start: 0, end: size } }] });
});

Deno.test("plan() lets peers who start together take different pieces", () => {
  const firsts = Array.from({ length: 50 }, (_, seed) => {
    return told(plan(stateOf(400, "", "a=1&8", { random: seededRandom(seed) })));
  });
  assertGreater(new Set(firsts).size, 40);
});

Deno.test("plan() asks for every piece once, whatever the sources, until the end", () => {
  for (let seed = 0; seed < 50; seed++) {
    const random = seededRandom(seed);
    const count = 50 + Math.floor(random() * 200);
    const sources = [..."abcde"].map((id) => source(`${id}=${1 + Math.floor(random() * 30)}&2`, count));
    const here = new PieceSet(count);
    for (let steps = 0; here.size < count; steps++) {
      assertLess(steps, count, "it takes too many steps");
      const step = plan({ ...stateOf(count, "", ""), here, sources, random });
      assert(step.kind === "fetch");
      const asked = new PieceSet(count);
      for (const { range } of step.requests) {
        for (let index = range.start / PIECE_BYTES; index < range.end / PIECE_BYTES; index++) {
          assert(!here.has(index), "a piece that is here was asked for");
          asked.add(index);
        }
        here.addTouched(range);
      }
      assertGreater(asked.size, 0);
    }
  }
});
