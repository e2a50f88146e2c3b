import { assertEquals } from "@std/assert";
import { PIECE_BYTES } from "../../../../lib/core/content.ts";
import { Meter } from "../../../../lib/core/flow/meter.ts";
import { UnfinishedFile } from "../../../../lib/store/files/unfinished_file.ts";
import { SourceAtWork } from "../../../../lib/transfer/sources/source_at_work.ts";
import { PROJECT } from "../../../support/programs.ts";
import { Room } from "../../../support/room.ts";

/** The functions of lib/ that are on the stack now, outermost first. */
function calls(): string[] {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 100;
  const stack = new Error().stack ?? "";
  Error.stackTraceLimit = stackTraceLimit;
  const frames = stack.split("\n").filter((line) => line.includes("/lib/"));
  return frames.map((line) => /at (?:async )?(.+?) (?:\[as \S+\] )?\(/.exec(line)?.[1] ?? "a function").reverse();
}

/** Calls `look` before each call of a method, while `work` goes on. */
async function looking<T, K extends keyof T>(
  type: { readonly prototype: T },
  method: K,
  { look, work }: { readonly look: () => void; readonly work: () => Promise<void> },
): Promise<void> {
  const { prototype } = type;
  const original = prototype[method];
  if (typeof original !== "function") throw new TypeError(`${String(method)} is no method`);
  const watched = new Proxy(original, {
    apply(called, self, args) {
      look();
      return Reflect.apply(called, self, args);
    },
  });
  prototype[method] = watched;
  try {
    await work();
  } finally {
    prototype[method] = original;
  }
}

/** Downloads a file of two pieces from one peer to another. */
async function downloadFilm(): Promise<void> {
  await using room = await Room.open();
  const shared = await room.folder();
  await shared.file("film.bin", 2 * PIECE_BYTES);
  await room.peer("ana", shared);
  await room.hashed("ana", "film.bin");
  const { peer } = await room.peer("rui");
  await peer.transfers.start(await peer.directory.resolve("film.bin"), { kind: "folder" }).result;
}

Deno.test("a piece is written at most 11 calls below the queue of transfers", async () => {
  // The work of a source is a task of its own, so its beginning is on another stack than its end.
  let beginning: string[] = [];
  let spine: string[] = [];
  await looking(SourceAtWork, "fetch", {
    look: () => beginning = [...calls(), "SourceAtWork.fetch"],
    work: () =>
      looking(UnfinishedFile, "write", {
        look: () => spine = [...beginning, ...calls().slice(1), "UnfinishedFile.write"],
        work: downloadFilm,
      }),
  });
  console.log(`${spine.length} calls:\n${spine.join("\n")}`);
  assertEquals(spine, [
    "Transfers.#drive",
    "Transfer.attempt",
    "fetchFile",
    "fetchTo",
    "Downloads.download",
    "Download.run",
    "Download.#take",
    "SourceAtWork.fetch",
    "fetchRange",
    "Object.write",
    "UnfinishedFile.write",
  ]);
});

Deno.test("a piece is reported to its transfer through one relay", async () => {
  let reporting: string[] = [];
  await looking(Meter, "note", { look: () => reporting = calls(), work: downloadFilm });
  assertEquals(reporting.slice(-3), ["onPiece", "Download.#arrived", "Object.onProgress"]);
});

for (const folder of ["transfer", "peer/get"]) {
  Deno.test(`no room of lib/${folder} declares connect, clock, random or pace twice`, () => {
    const twice = rooms(`${PROJECT}/lib/${folder}`).flatMap((room) => {
      const text = sourcesIn(room).map((file) => Deno.readTextFileSync(file)).join("\n");
      const found = Array.from(text.matchAll(/readonly (connect|clock|random|pace)\??: /g), ([, name]) => name);
      return found.filter((name, index) => found.indexOf(name) !== index).map((name) => `${room}: ${name}`);
    });
    assertEquals(twice, []);
  });
}

/** A folder, and the folders inside it. */
function rooms(folder: string): string[] {
  const inside = Array.from(Deno.readDirSync(folder)).filter(({ isDirectory }) => isDirectory);
  return [folder, ...inside.flatMap(({ name }) => rooms(`${folder}/${name}`))];
}

function sourcesIn(folder: string): string[] {
  const entries = Array.from(Deno.readDirSync(folder)).filter(({ name }) => name.endsWith(".ts"));
  return entries.map(({ name }) => `${folder}/${name}`);
}
