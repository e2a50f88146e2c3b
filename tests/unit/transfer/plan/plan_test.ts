import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { PIECE_BYTES } from "../../../../lib/core/content.ts";
import { PieceSet } from "../../../../lib/core/piece_set.ts";
import { plan, type Step } from "../../../../lib/transfer/plan/plan.ts";
import type { DownloadState, PlannedSource } from "../../../../lib/transfer/plan/plan_state.ts";
import { seededRandom } from "../../../support/seeded_random.ts";

/**
 * A source in short: its letter, then what differs. `a` is ready, has every piece, and its speed is
 * not known.
 *
 * - `=8` gives 8 pieces a second
 * - `[0-3]` has only these pieces, `(0-3)` has sent these pieces to others
 *  - `>0-3` was asked for these pieces, `>0-3>4-7` for the last ones ahead
 * - `!8` gives 8 pieces a second of what it was asked for, `/50` answers after 50 ms
 * - `@3000` has given no piece for 3,000 ms, `%40` has sent 40 % of one since then
 * - `w` lets us wait, `#` is full, `&3` has three receivers
 *  - `+` gave a piece in its last turn, `-` gave none
 * - `~2` rests after two failures, `x` was dropped
 */
function source(text: string, count: number): PlannedSource {
  const id = text.charAt(0);
  const value = (regexp: RegExp): string | undefined => regexp.exec(text.slice(1))?.[1];
  const pieces = (list: string | undefined): PieceSet | undefined => {
    return list === undefined ? undefined : setOf(list, count);
  };
  const rangeOf = (list: string | undefined): PlannedSource["asked"] => {
    const [first = 0, last = first] = list?.split("-").map(Number) ?? [];
    return list === undefined ? undefined : { start: first * PIECE_BYTES, end: (last + 1) * PIECE_BYTES };
  };
  const tries = value(/~(\d+)/);
  const speed = value(/=([\d.]+)/);
  const turnSpeed = value(/!([\d.]+)/);
  const roundTrip = value(/\/(\d+)/);
  return {
    id,
    state: text.includes("x") ? "dropped" : text.includes(">") ? "busy" : tries !== undefined ? "resting" : "ready",
    tries: Number(tries ?? 0),
    standing: text.endsWith("-") ? "bad" : text.endsWith("+") ? "good" : "new",
    bytesPerSecond: speed === undefined ? undefined : Number(speed) * PIECE_BYTES,
    has: pieces(value(/\[([\d,-]*)\]/)),
    given: pieces(value(/\(([\d,-]*)\)/)),
    asking: Number(value(/&(\d+)/) ?? 1),
    asked: rangeOf(value(/>(\d+(?:-\d+)?)/)),
    next: rangeOf(value(/>[\d-]+>(\d+(?:-\d+)?)/)),
    turnBytesPerSecond: turnSpeed === undefined ? undefined : Number(turnSpeed) * PIECE_BYTES,
    roundTripMs: roundTrip === undefined ? undefined : Number(roundTrip),
    sinceMs: Number(value(/@(\d+)/) ?? 0),
    sinceBytes: Number(value(/%(\d+)/) ?? 0) / 100 * PIECE_BYTES,
    isWaiting: text.includes("w"),
    isFull: text.includes("#"),
  };
}

/** A set of pieces from `0-3,7`. */
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

/** A step in short: `a:0-3 b:4`, or its kind. */
function shortOf(step: Step): string {
  if (step.kind !== "fetch") return step.kind;
  return step.requests.map(({ source, range }) => {
    const [first, last] = [range.start / PIECE_BYTES, Math.ceil(range.end / PIECE_BYTES) - 1];
    return first === last ? `${source}:${first}` : `${source}:${first}-${last}`;
  }).join(" ");
}

const STREAM = { order: "in-order" } as const;
const LONG_IDLE = { idleMs: 60_000 };
const local = (pieces: string): { local: PieceSet } => ({ local: setOf(pieces, 100) });

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
  ["everything is here, and no source is left", 4, "0-3", "", "done"],
  ["an empty file is here from the start", 0, "", "a", "done"],
  ["no source has it", 4, "", "", "fail"],
  ["a source of unknown speed is asked for a few pieces", 100, "", "a", "a:0-3"],
  ["a source is never asked beyond the end of the file", 3, "", "a", "a:0-2"],
  ["a source of known speed is asked for a second's worth", 100, "", "a=20", "a:0-19"],
  ["a very fast source is asked for one span", 1000, "", "a=900", "a:0-127"],
  ["a very slow source is asked for one piece", 100, "", "a=0.1", "a:0"],
  ["the first gap is filled first, up to its end", 100, "0-9,15-20", "a=20", "a:10-14"],
  ["pieces that are here are not asked for", 10, "0-8", "a=20", "a:9"],

  // Several sources.
  ["two sources take different spans", 1000, "", "a=20 b=20", "a:0-19 b:20-39"],
  ["the fastest source chooses first", 1000, "", "a=10 b=40", "b:0-39 a:40-49"],
  ["each source is asked for as much as its speed allows", 1000, "", "a=40 b=10", "a:0-39 b:40-49"],
  ["pieces that one source was asked for are not asked of another", 1000, "", "a=20>0-19 b=20", "b:20-39"],
  ["near the end each source gets its share, so that all end together", 30, "", "a=40 b=20", "a:0-19 b:20-23"],
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
  ["busy sources are not asked", 100, "", "a=20>0-19 b=20>20-39", "wait"],

  // Pieces that are copied from this machine.
  ["no source is asked for pieces that are copied from this machine", 100, "", "a=20", "a:5-9", local("0-4,10-99")],
  ["pieces around a copied one are two spans", 8, "", "a=20 b=20", "a:0-2 b:4-5", local("3")],
  ["a source without other work does not take over what is copied", 8, "0-3", "a=20", "wait", local("4-7")],
  ["the download goes on without a source while pieces are copied", 8, "0-3", "ax", "wait", local("4-7")],
  ["it goes on however long no source has sent anything", 8, "0-3", "a-", "wait", { ...local("4-7"), ...LONG_IDLE }],
  ["a stream from one source and this machine has a window", 99, "", "a=900", "a:8-31", { ...STREAM, ...local("0-7") }],

  ["a stream goes on while its next pieces are copied", 99, "0-8", "ax", "wait", { ...STREAM, ...local("40") }],
  ["a stream fails when only later pieces are here", 99, "0-8", "ax", "fail", { ...STREAM, ...local("41-98") }],

  // Sources that fail.
  ["a resting source is not asked", 100, "", "a~1 b=20", "b:0-19"],
  ["the download waits while all sources rest", 100, "", "a~1 b~3", "wait"],
  ["a dropped source is never asked again", 100, "", "ax b=20", "b:0-19"],
  ["the download fails when all sources were dropped", 100, "", "ax bx", "fail"],
  ["the download fails when all sources failed too often", 100, "", "a~4 b~4", "fail"],
  ["the download waits for a resting source that may be tried again", 100, "", "a~4 b~3", "wait"],
  ["the download fails when one source was dropped and the other failed too often", 100, "", "ax b~4", "fail"],
  ["a source that failed too often is not asked", 100, "0-9", "a=20>10-29 b~4", "wait"],
  ["a source that gave nothing in its last turn chooses last", 6, "", "a=20- b=2", "b:0 a:1-5"],

  // Sources that are late.
  [
    "pieces of a late source come after pieces that no source was asked for",
    100,
    "",
    "a=20>0-19@3000 b=10",
    "b:20-29",
  ],
  ["the download waits for a late source when there is no other", 100, "", "a=20>0-19@3000", "wait"],
  ["another source takes over from a late one at the end", 20, "0-14", "a=20>15-19@3000 b=20", "b:15-19"],
  ["another source takes over a late one's first piece", 20, "0-14,16-19", "a=20>15-19@3000 b=20", "b:15"],
  ["another source takes over a late one's middle pieces", 20, "0-15,18-19", "a=20>15-19@3000 b=20", "b:16-17"],
  ["a third source helps two late ones", 20, "0-18", "a=20>19@3000 b=20>19@3000 c=20", "c:19"],
  ["one source helps many late ones", 20, "0-18", "a>19@9000 b>19@9000 d>19@9000 e>19@9000 c=20", "c:19"],
  ["no third source is asked beside two that are in time", 20, "0-18", "a>19@9000 b=20>19 d=20>19 c=20", "wait"],
  ["a source that gave pieces helps two that have not", 20, "0-18", "a>19 b>19 c=20+", "c:19"],
  ["a source that gave no piece does not help two others", 20, "0-18", "a>19 b>19 c", "wait"],
  ["another source takes over from one that lets us wait", 20, "0-14", "a=20>15-19w b=20", "b:15-19"],
  ["another source takes over from two that let us wait", 20, "0-14", "a=20>15-19w b=20>15-19w c=1", "c:15-19"],
  ["the download waits for its turn when there is no other source", 20, "0-14", "a=20>15-19w", "wait"],
  ["a source that drips is helped before it counts as late", 20, "0-18", "a=20>19@1500%10 b=20", "b:19"],
  ["a slow source is helped by one twice as fast", 20, "0-18", "a=0.5>19@1500 b=1", "b:19"],
  ["a slow source is not helped by one as slow", 20, "0-18", "a=0.5>19@1500 b=0.5", "wait"],
  ["a third source helps two that have stalled", 20, "0-18", "a=20>19@600+ b=20>19@600+ c=20+", "c:19", {
    idleMs: 600,
  }],
  [
    "no third source is asked beside two in time while pieces arrive",
    20,
    "0-18",
    "a=20>19@600+ b=20>19@600+ c=20+",
    "wait",
  ],
  ["a source that sends slowly, but in time, has not stalled", 20, "0-18", "a=0.5>19@600%40 b=0.5", "wait", {
    idleMs: 600,
  }],
  ["no source has stalled under our own rate limit", 20, "0-18", "a=1>19@600+ b=1>19@600+ c=1+", "wait", {
    idleMs: 600,
    bytesPerSecondMax: PIECE_BYTES,
  }],
  ["a source is late later under our own rate limit", 20, "0-18", "a=0.5>19@3000 b=0.5", "wait", {
    bytesPerSecondMax: PIECE_BYTES / 2,
  }],
  ["the download fails when its source is silent for too long", 20, "0-18", "a>19@60000", "fail", LONG_IDLE],
  [
    "the download fails when all its sources are silent for too long",
    20,
    "0-18",
    "a>19@60000 b>19@60000",
    "fail",
    LONG_IDLE,
  ],
  ["the download waits long for its turn", 20, "0-18", "a>19@60000w b~2", "wait", LONG_IDLE],
  ["the download does not wait for ever for its turn", 20, "0-18", "a>19@60000w", "fail", { idleMs: 3_600_000 }],
  ["the download waits for a piece that arrives slowly", 20, "0-18", "a>19@60000%80", "wait", LONG_IDLE],
  ["the download does not wait for a source that drips", 20, "0-18", "a>19@60000%8", "fail", LONG_IDLE],
  ["a source that was never asked is asked, however late it is", 20, "0-18", "a>19@60000 b", "b:19", LONG_IDLE],
  ["the download fails when only sources are left that gave nothing", 20, "0-18", "a- b-", "fail", LONG_IDLE],

  // Ranges that are asked for ahead.
  ["a source that will soon be done is asked for its next span", 100, "0-17", "a=20>18-19/50", "a:20-39"],
  ["a source that still has much to deliver is not asked ahead", 100, "0-9", "a=20>10-19/50", "wait"],
  ["a source that answers soon is asked later", 100, "0-17", "a=20>18-19/3", "wait"],
  ["a source that answers at once is not asked ahead", 100, "0-18", "a=20>19%99/2", "wait"],
  ["what has arrived of a piece counts", 100, "0-18", "a=10>19/30", "wait"],
  ["a piece that has nearly arrived is as good as here", 100, "0-18", "a=10>19%60/30", "a:20-29"],
  ["a source is asked for one span ahead", 1000, "0-17", "a=20>18-19>20-39/50", "wait"],
  ["a source of unknown speed that gives something is asked for twice as much", 100, "0", "a>1-3!9/50", "a:4-11"],
  ["a source that has given nothing yet is not asked ahead", 100, "", "a>0-3/50", "wait"],
  ["a late source is not asked ahead", 100, "0-18", "a=20>19@3000/50", "wait"],
  ["a slow source that moves is asked ahead", 100, "0-18", "a=0.5>19@2500%99/50", "a:20"],
  ["a source that has stalled is not asked ahead", 100, "0-18", "a=20>19@600/50", "wait", { idleMs: 600 }],
  ["a source that lets us wait is not asked ahead", 100, "0-18", "a=20>19w/50", "wait"],
  ["a full source is not asked ahead", 100, "0-18", "a=20>19#/50", "wait"],
  ["a source with some of the pieces is not asked ahead", 100, "0-18", "a=20>19[0-50]/50", "wait"],
  ["a source with other receivers is not asked ahead", 100, "0-18", "a=20>19&2/50", "wait"],
  ["nobody is asked ahead while one source has other receivers", 100, "0-18", "a=20>19/50 b=20>20-29&2", "wait"],
  ["a source that is done chooses before one that will be", 1000, "0-18", "a=40>19/50 b=20", "b:20-39 a:40-79"],
  ["pieces that were asked for ahead are not asked of another", 1000, "0-17", "a=20>18-19>20-39 b=20", "b:40-59"],
  [
    "pieces that a late source was asked for ahead are free",
    100,
    "0-17",
    "a=20>18-19>20-39@3000 b=10",
    "b:20-29",
  ],
  ["no source takes over from another one ahead", 40, "0-18,20-29", "a=20>19/50 b=1>30-39", "wait"],
  ["the end is shared with sources that are asked ahead", 30, "0-18", "a=20>19/50 b=20", "b:20-24 a:25-27"],
  ["nothing is asked ahead when nothing is left", 20, "0-18", "a=20>19/50", "wait"],

  // The last spans.
  ["a source that is done takes over the end of the slowest one's pieces", 20, "0-9", "a=2>10-19 b=8", "b:12-19"],
  ["an equally fast source takes over half", 20, "0-9", "a=5>10-19 b=5", "b:15-19"],
  ["no source takes over a piece that is nearly here", 20, "0-18", "a=50>19 b=1", "wait"],
  ["a single slow piece is asked of a second source", 20, "0-18", "a=0.1>19 b=20", "b:19"],
  ["no piece is asked of a third source", 20, "0-18", "a=0.1>19 b=20>19 c=40", "wait"],
  ["the slowest of several sources is helped", 40, "0-19", "a=10>20-29 b=1>30-39 c=10", "c:31-39"],
  ["a source without the pieces cannot help", 20, "0-9", "a=2>10-19 b=8[0-9]", "wait"],

  // Sources without a free upload slot.
  ["a full source is not asked at first", 100, "", "a#", "wait"],
  ["the download joins the line of a full source after a second", 1000, "", "a#", "a:0-127", { idleMs: 1_000 }],
  ["it joins a line later when another source may soon have pieces", 100, "", "a# b[]", "wait", { idleMs: 2_000 }],
  ["it joins a line after three seconds even then", 100, "", "a# b[]", "a:0-1", { idleMs: 3_000 }],
  ["it does not join a second line at once", 100, "", "aw>0-3 b#", "wait", { idleMs: 3_000 }],
  ["it joins a second line when the first does not move", 100, "", "aw>0-3 b#", "b:4-7", { idleMs: 6_000 }],
  ["it joins no line while other sources give pieces", 100, "", "a=20#&2 b=20[0-9]", "b:0-9"],
  ["a source that is not full is asked first", 100, "", "a=90# b=20", "b:0-18 a:19-85", { idleMs: 3_000 }],

  // A swarm.
  ["a source with some pieces is asked for those", 100, "", "a[40-41]", "a:40-41"],
  ["the download waits for a source that has nothing new", 100, "0-9", "a[0-9]", "wait"],
  ["the download fails when a source has had nothing new for too long", 100, "0-9", "a[0-9]", "fail", LONG_IDLE],
  [
    "incomplete sources give what they have, the owner gives the rest",
    4,
    "",
    "a=1 b=1[0-2]&2 c=1[0-2]&2",
    "b:0 c:1 a:3",
  ],
  ["the rarest piece is asked for first", 4, "", "a=1[0-2] b=1>3[0-1,3] c=1>3[0-1]", "a:2"],
  ["the owner is asked for pieces that it has not sent to others", 6, "", "a=9(0-3)&2", "a:4-5"],
  ["the owner is asked for pieces that it has sent when no others are left", 6, "4-5", "a=9(0-3)&2", "a:0-3"],
  ["a request ends before a piece that is less rare", 8, "", "a=9(0-1,5-7)&2", "a:2-4"],
  ["pieces of a late source do not count as copies", 4, "", "a=1[0-2] b=1>3@3000[0-1,3] c=1>3[0-1]", "a:2"],
  ["an incomplete source that gave nothing does not choose first", 4, "", "a=1 b=1[0-3]-", "a:0 b:1"],
  ["a source that gave nothing is not believed about other receivers", 100, "", "a=20&1 b=20&9- ", "a:0-19 b:20-39"],
  ["a source of unknown speed is asked for less in a swarm", 100, "", "a&2", "a:0-1"],
  ["a piece that arrives soon is not asked for twice in a swarm", 20, "0-18", "a=1>19&2 b=20&2", "wait"],
  ["a piece that takes long is asked for twice in a swarm", 20, "0-18", "a=0.4>19&2 b=20&2", "b:19"],
  ["a single receiver asks in order, which a disk reads fastest", 100, "", "a=20(0-50)", "a:0-19"],

  // A stream.
  ["a stream is asked for ahead", 100, "0-18", "a=20>19/50", "a:20-39", STREAM],
  ["a stream is not asked of a late source again", 100, "0-18", "a=0.5>19@2500%99/50", "wait", STREAM],
  ["a stream takes its next pieces, rare or not", 100, "0-9", "a=20(10-20)&9 b=20[50-60]", "a:10-25", STREAM],
  [
    "a stream from several sources does not go beyond its window",
    1000,
    "0-9",
    "a=128 b=128",
    "a:10-25 b:26-41",
    STREAM,
  ],
  ["a source helps within the window instead of going beyond it", 1000, "0-9", "a=20>10-41 b=20", "b:26-41", STREAM],
  ["a stream from one source has no window", 1000, "0-9", "a=900", "a:10-137", STREAM],
  [
    "a source goes on within the window while one piece blocks the stream",
    1000,
    "0-9,11-40",
    "a=0.1>10 b=20",
    "b:41",
    STREAM,
  ],
  [
    "the piece that blocks the stream is asked for again when its source is late",
    1000,
    "0-9,11-40",
    "a=9>10@3000 b=20",
    "b:10",
    STREAM,
  ],
  [
    "the piece that blocks the stream is asked for again when its source lets us wait",
    1000,
    "0-9,11-40",
    "a=9>10w b=20",
    "b:10",
    STREAM,
  ],
  [
    "the piece that blocks the stream is asked for again when the window is full",
    1000,
    "0-9,11-41",
    "a=0.1>10 b=20",
    "b:10",
    STREAM,
  ],
];

Deno.test("plan() does what the table says", () => {
  assertGreater(CASES.length, 40);
  const wrong = CASES.flatMap(([situation, count, here, sources, step, options]) => {
    const planned = shortOf(plan(stateOf(count, here, sources, options)));
    return planned === step ? [] : [`${situation}: ${planned} instead of ${step}`];
  });
  assertEquals(wrong, []);
});

Deno.test("plan() asks for the last piece up to the end of the file", () => {
  const size = 5 * PIECE_BYTES + 17;
  const step = plan({ ...stateOf(6, "", "a=20"), size });
  assertEquals(step, { kind: "fetch", requests: [{ source: "a", range: { start: 0, end: size } }] });
});

Deno.test("plan() gives peers that start together different pieces", () => {
  const firsts = Array.from({ length: 50 }, (_, seed) => {
    return shortOf(plan(stateOf(400, "", "a=1&8", { random: seededRandom(seed) })));
  });
  assertGreater(new Set(firsts).size, 40);
});

Deno.test("plan() asks for every piece once, whatever the sources are", () => {
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
