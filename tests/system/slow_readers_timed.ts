/**
 * Slow readers use all upload slots of an owner, which still sends to other peers. Looks at the
 * clock by nature.
 * @module
 */

import { assert, assertLess } from "@std/assert";
import { PIECE_BYTES } from "../../lib/core/content.ts";
import { systemClock } from "../../lib/core/flow/clock.ts";
import { UPLOAD_SLOTS } from "../../lib/core/limits.ts";
import { Pace } from "../../lib/core/flow/pace.ts";
import { ask, greet } from "../../lib/net/caller.ts";
import { dial } from "../../lib/net/dial.ts";
import { Identity } from "../../lib/net/identity.ts";
import type { TransferView } from "../../lib/peer/get/transfer.ts";
import { Download } from "../../lib/protocol/files.ts";
import { Room } from "../support/room.ts";
import { sameFiles } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

const SIZE = 100 * PIECE_BYTES;
const SLOW_BYTES_PER_SECOND = 280_000;

/** A peer that asks for a whole file, reads slowly, and asks again where its turn ended. */
class SlowReader implements AsyncDisposable {
  /** Whether it has received bytes. */
  isReading = false;
  readonly #stopping = new AbortController();
  readonly #reading: Promise<void>;

  constructor(port: number, last: number) {
    this.#reading = this.#read(port, last);
  }

  async #read(port: number, last: number): Promise<void> {
    const identity = await Identity.make();
    const pace = new Pace(SLOW_BYTES_PER_SECOND, systemClock);
    const part = new Uint8Array(16 * 1024);
    while (!this.#stopping.signal.aborted) {
      try {
        using connection = await dial({ host: "127.0.0.1", port });
        using _closing = connection.closeOn(this.#stopping.signal);
        await greet(connection, { identity });
        await ask(connection, Download, { name: "film.bin", start: 0, end: SIZE - last }, { waitMs: 60_000 });
        while (true) {
          await pace.take(part.length);
          await connection.readBody(part);
          this.isReading = true;
        }
      } catch {
        // The turn is over.
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#reading;
  }
}

Deno.test("an owner whose upload slots are all used by slow readers sends 100 MiB to another peer", async () => {
  await using room = await Room.open();
  const shared = await room.folder();
  await shared.file("film.bin", SIZE);
  const owner = await room.peer("owner", shared, { plain: true });
  await room.hashed("owner", "film.bin");
  const { peers: [row] } = await owner.peer.queries.peers();
  const rui = await room.peer("rui", undefined, { plain: true });
  await using stack = new AsyncDisposableStack();
  // Some ask for the whole file, which is piped. Others ask for all but the last piece, which is
  // copied.
  const slow = Array.from({ length: UPLOAD_SLOTS }, (_, number) => {
    return stack.use(new SlowReader(row?.port ?? 0, number % 2 * PIECE_BYTES));
  });
  await eventually("all slots are taken", () => slow.every(({ isReading }) => isReading));
  const transfer = rui.peer.transfers.start(await rui.peer.directory.resolve("film.bin"), { kind: "folder" });
  const places: TransferView["before"][] = [];
  const watching = setInterval(() => places.push(transfer.transfer.view().before), 20);
  const { firstMs, tookMs } = await transfer.result.finally(() => clearInterval(watching));
  assertLess(firstMs ?? Infinity, 15_000);
  assertLess(tookMs, 60_000);
  assert(places.some((before) => before !== undefined), "no place in the queue was reported");
  assert(await sameFiles(shared.at("film.bin"), rui.folder.at("film.bin")));
});
