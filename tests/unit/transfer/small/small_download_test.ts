import { assert, assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../../../../lib/core/flow/clock.ts";
import { Failure } from "../../../../lib/core/failure.ts";
import { Downloads } from "../../../../lib/transfer/downloads.ts";
import type { SmallFile } from "../../../../lib/transfer/small/small_file.ts";
import type { Source } from "../../../../lib/transfer/content/source.ts";
import { seededRandom } from "../../../support/seeded_random.ts";
import { connectPlain, ServedFile, SmallSource } from "../../../support/sources.ts";
import { randomBytes } from "../../../support/temp.ts";

const COUNT = 200;
/** There are no further sources. */
const finder = { sources: () => Promise.resolve([]) };
const FILES = Array.from({ length: COUNT }, (_, number) => {
  return new ServedFile(randomBytes(number, seededRandom(number)), `note ${number}.txt`);
});

interface Result {
  readonly arrived: Map<string, Uint8Array>;
  readonly failed: Map<string, Failure>;
  readonly sources: readonly string[];
}

/** Downloads all files from these sources. */
async function run(
  sources: readonly Source[],
  options: { hashed?: boolean; signal?: AbortSignal } = {},
): Promise<Result> {
  const { hashed = true, signal = new AbortController().signal } = options;
  const arrived = new Map<string, Uint8Array>();
  const failed = new Map<string, Failure>();
  const files = FILES.map(({ name, bytes, root }): SmallFile => {
    const own = sources.map((source) => ({ ...source, name }));
    const known = hashed ? root : undefined;
    return { name, size: bytes.length, root: known, peers: [], sources: own, moreHolders: false };
  });
  const downloads = new Downloads({ connect: connectPlain, finder, clock: systemClock, random: seededRandom(1) });
  const given = await downloads.downloadSmall(files, {
    signal,
    onFile: ({ name }, bytes) => {
      assert(!arrived.has(name), `${name} came twice`);
      arrived.set(name, bytes.slice());
    },
    onFailed: ({ name }, failure) => failed.set(name, failure),
  });
  return { arrived, failed, sources: given.map(({ peer }) => peer).sort() };
}

function assertWhole(arrived: Map<string, Uint8Array>, but: readonly string[] = []): void {
  for (const { name, bytes } of FILES) {
    if (!but.includes(name)) assertEquals(arrived.get(name), bytes, name);
  }
}

Deno.test("downloadSmall() gets every file once from several peers, hashed or not", async () => {
  await using ana = await SmallSource.open(FILES, "ana");
  await using rui = await SmallSource.open(FILES, "rui");
  for (const hashed of [true, false]) {
    const { arrived, failed, sources } = await run([ana.source, rui.source], { hashed });
    assertWhole(arrived);
    assertEquals([failed.size, sources], [0, ["ana", "rui"]]);
  }
});

Deno.test("downloadSmall() gets the other files when some are refused, wrong or nonsense", async () => {
  const bad = ["note 20.txt", "note 70.txt", "note 120.txt", "note 150.txt"];
  const behaviour = { refuses: bad[0], flips: bad[1], cuts: bad[2], bombs: bad[3] };
  await using ana = await SmallSource.open(FILES, "ana", behaviour);
  const { arrived, failed } = await run([ana.source]);
  assertWhole(arrived, bad);
  assertEquals([...failed.keys()].sort(), bad.toSorted());
  assertEquals(bad.map((name) => failed.get(name)?.code), ["not-shared", "corrupt", "file-changed", "malformed"]);

  await using good = await SmallSource.open(FILES, "good");
  const both = await run([ana.source, good.source]);
  assertWhole(both.arrived);
  assertEquals(both.failed.size, 0);
});

Deno.test("downloadSmall() asks again for what an answer leaves out", async () => {
  await using ana = await SmallSource.open(FILES, "ana", { answersMax: 3 });
  const { arrived, failed } = await run([ana.source]);
  assertWhole(arrived);
  assertEquals(failed.size, 0);
});

Deno.test("downloadSmall() gets everything from others when a peer answers with no file or too many", async () => {
  await using good = await SmallSource.open(FILES, "good");
  for (const behaviour of [{ answersMax: 0 }, { repeats: true }]) {
    await using odd = await SmallSource.open(FILES, "odd", behaviour);
    const { arrived, failed } = await run([odd.source, good.source]);
    assertWhole(arrived);
    assertEquals(failed.size, 0);
  }
});

Deno.test("downloadSmall() continues where a peer closes, and gets the rest from others", async () => {
  await using ana = await SmallSource.open(FILES, "ana", { closesEvery: 7 });
  assertWhole((await run([ana.source])).arrived);
  await using gone = await SmallSource.open(FILES, "gone", { closesEvery: 1 });
  assertWhole((await run([gone.source, ana.source])).arrived);
  const { arrived, failed } = await run([gone.source]);
  // A file without bytes needs no source that sends any.
  assertEquals([[...arrived.keys()], failed.size], [["note 0.txt"], COUNT - 1]);
});

Deno.test("downloadSmall() stops by its signal", async () => {
  await using ana = await SmallSource.open(FILES, "ana", { stalls: "note 100.txt" });
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Failure("cancelled", "enough")), 100);
  const failure = await assertRejects(() => run([ana.source], { signal: controller.signal }), Failure);
  assertEquals(failure.code, "cancelled");
});

Deno.test("downloadSmall() fails when the last file cannot be placed, whatever it is waiting for", async () => {
  await using ana = await SmallSource.open(FILES, "ana");
  const [file] = FILES.slice(5);
  assert(file !== undefined);
  const { name, bytes, root } = file;
  const wake = Promise.withResolvers<void>();
  const downloads = new Downloads({
    connect: connectPlain,
    finder,
    // Every wait for a time ends when the file has come.
    clock: { now: systemClock.now, delay: () => wake.promise },
    random: seededRandom(1),
  });
  const sources = [{ ...ana.source, name }];
  await assertRejects(
    () =>
      downloads.downloadSmall([{ name, size: bytes.length, root, peers: [], sources, moreHolders: false }], {
        signal: new AbortController().signal,
        onFile() {
          wake.resolve();
          throw new Failure("disk-full", "Cannot write it");
        },
        onFailed: () => {},
      }),
    Failure,
    "Cannot write it",
  );
});
