import { assertEquals, assertRejects } from "@std/assert";
import { rootOf, smallDigests } from "../../../../lib/core/content.ts";
import { Failure } from "../../../../lib/core/failure.ts";
import { systemClock } from "../../../../lib/core/flow/clock.ts";
import { MANY_BODY_BYTES, MANY_FILES_MAX } from "../../../../lib/core/limits.ts";
import { askAndRead } from "../../../../lib/net/caller.ts";
import type { Connection } from "../../../../lib/net/connection.ts";
import type { Consent } from "../../../../lib/peer/serve/consent.ts";
import { Host } from "../../../../lib/peer/serve/host.ts";
import { Uploads } from "../../../../lib/peer/serve/uploads.ts";
import { DownloadMany } from "../../../../lib/protocol/files.ts";
import type { DataOf, ReplyOf } from "../../../../lib/protocol/message.ts";
import { Folder } from "../../../../lib/store/files/folder.ts";
import { Share } from "../../../../lib/store/share/share.ts";
import { State } from "../../../../lib/store/state/state.ts";
import { gunzip } from "../../../../lib/transfer/pieces/compress.ts";
import { Partials } from "../../../../lib/transfer/content/partials.ts";
import { connectTo, consentOf, serveHost } from "../../../support/serve_host.ts";
import { TempFolder } from "../../../support/temp.ts";
import { eventually } from "../../../support/wait.ts";

const encoder = new TextEncoder();

/** A peer with a few files, and a connection to it. */
class Room implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly #connection: Connection;

  private constructor(connection: Connection, stack: AsyncDisposableStack) {
    this.#connection = connection;
    this.#stack = stack;
  }

  /** @param tickMs By how much each look at the event loop finds its turn longer. */
  static async open(
    files: Readonly<Record<string, string>>,
    { consent = consentOf("open"), tickMs = 0 }: { consent?: Consent; tickMs?: number } = {},
  ): Promise<Room> {
    await using stack = new AsyncDisposableStack();
    const temp = stack.use(await TempFolder.make());
    for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(temp.at(name), text);
    const folder = stack.use(await Folder.open(temp.path));
    const state = stack.use(State.open(folder.statePath("recess.db")));
    const share = stack.use(await Share.open(folder, state, { follows: false }));
    let lastedMs = 0;
    const turnMs = (): number => lastedMs += tickMs;
    const uploads = new Uploads({ slots: 1, pace: undefined });
    const host = new Host({ share, partials: new Partials(() => {}), clock: systemClock, uploads, turnMs });
    const { address } = stack.use(await serveHost(host, state, consent));
    const connection = stack.use(await connectTo(address));
    return new Room(connection, stack.move());
  }

  /** Asks for files, and reads the answer. */
  async ask(
    data: DataOf<typeof DownloadMany>,
  ): Promise<{ files: ReplyOf<typeof DownloadMany>["files"]; body: Uint8Array<ArrayBuffer> }> {
    return await askAndRead(this.#connection, DownloadMany, data, async ({ data: { files }, bodyBytes }) => {
      const body = new Uint8Array(bodyBytes);
      await this.#connection.readBody(body);
      return { files, body };
    }, { onNews: () => {} });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]();
  }
}

function named(...names: string[]): { name: string }[] {
  return names.map((name) => ({ name }));
}

Deno.test("SmallUploads sends many files in one body, with their roots if they are asked for by name", async () => {
  await using room = await Room.open({ "a.txt": "one", "b.txt": "", "c.txt": "three" });
  const { files, body } = await room.ask({ files: named("c.txt", "b.txt", "a.txt") });
  assertEquals(new TextDecoder().decode(body), "threeone");
  const roots = ["three", "", "one"].map((text) => rootOf(text.length, smallDigests(encoder.encode(text))));
  assertEquals(files.map(({ size, root }) => [size, root]), [[5, roots[0]], [0, roots[1]], [3, roots[2]]]);
});

Deno.test("SmallUploads ends an answer before the first file that it cannot send", async () => {
  await using room = await Room.open({ "a.txt": "one", "large.bin": "x".repeat(2 ** 20 + 1) });
  for (const missing of ["missing.txt", "large.bin"]) {
    const { files, body } = await room.ask({ files: named("a.txt", missing, "a.txt") });
    assertEquals([files.length, body.length], [1, 3]);
  }
  const missing = await assertRejects(() => room.ask({ files: named("missing.txt", "a.txt") }), Failure);
  const large = await assertRejects(() => room.ask({ files: named("large.bin") }), Failure);
  const none = await assertRejects(() => room.ask({ files: [] }), Failure);
  assertEquals([missing.code, large.code, none.code], ["not-shared", "file-changed", "malformed"]);
});

Deno.test("SmallUploads ends an answer when its body is long enough", async () => {
  await using room = await Room.open({ "a.txt": "x".repeat(MANY_BODY_BYTES - 1), "b.txt": "yy", "c.txt": "z" });
  const { files, body } = await room.ask({ files: named("a.txt", "b.txt", "c.txt") });
  assertEquals([files.length, body.length], [2, MANY_BODY_BYTES + 1]);
  const tooMany = { files: named(...Array.from({ length: MANY_FILES_MAX + 1 }, () => "c.txt")) };
  await assertRejects(() => room.ask(tooMany), Failure, "files");
});

Deno.test("SmallUploads ends an answer when reading takes long", async () => {
  await using room = await Room.open({ "a.txt": "one", "b.txt": "two", "c.txt": "three" }, { tickMs: 5 });
  const { files } = await room.ask({ files: named("a.txt", "b.txt", "c.txt") });
  assertEquals(files.length, 2);
});

Deno.test("SmallUploads compresses each file by itself, if that makes it smaller", async () => {
  const [long, short] = ["long ".repeat(1000), "s"];
  await using room = await Room.open({ "long.txt": long, "short.txt": short });
  const { files, body } = await room.ask({ files: named("long.txt", "short.txt"), compression: "gzip" });
  const [first, second] = files;
  assertEquals([first?.size, second?.packed], [long.length, undefined]);
  const unpacked = new Uint8Array(long.length);
  await gunzip(body.slice(0, first?.packed), unpacked);
  assertEquals(new TextDecoder().decode(unpacked), long);
  assertEquals(new TextDecoder().decode(body.subarray(first?.packed)), short);
});

Deno.test("SmallUploads sends one file at a time when the owner is asked", async () => {
  let asked = 0;
  const consent = consentOf("ask", () => asked += 1);
  await using room = await Room.open({ "a.txt": "one", "b.txt": "two" }, { consent });
  const asking = room.ask({ files: named("a.txt", "b.txt") });
  await eventually("the owner is asked", () => asked > 0);
  const [question, ...others] = consent.questions();
  assertEquals([question?.name, others], ["a.txt", []]);
  consent.accept(question?.number ?? 0);
  assertEquals((await asking).files.length, 1);
});
