import { assertEquals, assertLessOrEqual } from "@std/assert";
import { PIECE_BYTES } from "../../../../lib/core/content.ts";
import { UnfinishedFile } from "../../../../lib/store/files/unfinished_file.ts";
import { SourceAtWork } from "../../../../lib/transfer/sources/source_at_work.ts";
import { Room } from "../../../support/room.ts";

/** The functions of lib/ that are on the stack now, outermost first. */
function calls(): string[] {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 100;
  const stack = new Error().stack ?? "";
  Error.stackTraceLimit = stackTraceLimit;
  const frames = stack.split("\n").filter((line) => line.includes("/lib/"));
  return frames.map((line) => /at (?:async )?(.+?) (?:\[as \S+\] )?\(/.exec(line)?.[1] ?? line.trim()).reverse();
}

Deno.test("a piece is written 11 calls below the queue of transfers", async () => {
  await using room = await Room.open();
  const shared = await room.folder();
  await shared.file("film.bin", 2 * PIECE_BYTES);
  await room.peer("ana", shared);
  await room.hashed("ana", "film.bin");
  const rui = await room.peer("rui");

  const { fetch } = SourceAtWork.prototype;
  const { write } = UnfinishedFile.prototype;
  // The work of a source goes on by itself, so what began it is on another stack than what it does.
  let beginning: string[] = [];
  let spine: string[] = [];
  SourceAtWork.prototype.fetch = function (...args) {
    beginning = calls();
    return fetch.apply(this, args);
  };
  UnfinishedFile.prototype.write = function (...args) {
    spine = [...beginning, ...calls(), "UnfinishedFile.write"];
    return write.apply(this, args);
  };
  try {
    await rui.peer.transfers.start(await rui.peer.directory.resolve("film.bin"), { kind: "folder" }).result;
  } finally {
    SourceAtWork.prototype.fetch = fetch;
    UnfinishedFile.prototype.write = write;
  }
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
  assertLessOrEqual(spine.length, 11);
});
