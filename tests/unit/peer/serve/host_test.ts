import { assertEquals, assertRejects } from "@std/assert";
import { PIECE_BYTES, pieceCount } from "../../../../lib/core/content.ts";
import { systemClock } from "../../../../lib/core/flow/clock.ts";
import { Failure } from "../../../../lib/core/failure.ts";
import { PieceSet } from "../../../../lib/core/piece_set.ts";
import { ask, askAndRead } from "../../../../lib/net/caller.ts";
import { Host } from "../../../../lib/peer/serve/host.ts";
import { Uploads } from "../../../../lib/peer/serve/uploads.ts";
import { Download } from "../../../../lib/protocol/files.ts";
import { Folder } from "../../../../lib/store/files/folder.ts";
import { UnfinishedFile } from "../../../../lib/store/files/unfinished_file.ts";
import { Share } from "../../../../lib/store/share/share.ts";
import { State } from "../../../../lib/store/state/state.ts";
import { Partials } from "../../../../lib/transfer/content/partials.ts";
import { connectTo, serveHost } from "../../../support/serve_host.ts";
import { seededRandom } from "../../../support/seeded_random.ts";
import { ServedFile } from "../../../support/sources.ts";
import { randomBytes, TempFolder } from "../../../support/temp.ts";
import { eventually } from "../../../support/wait.ts";

const FILE = new ServedFile(randomBytes(20 * PIECE_BYTES, seededRandom(3)), "film.bin");
const SIZE = FILE.bytes.length;

Deno.test("Host sends a file that became whole while its receiver waited for a slot", async () => {
  await using stack = new AsyncDisposableStack();
  const temp = stack.use(await TempFolder.make());
  const folder = stack.use(await Folder.open(temp.path));
  const state = stack.use(State.open(folder.statePath("recess.db")));
  const share = stack.use(await Share.open(folder, state, { follows: false }));
  const arriving = stack.use(await UnfinishedFile.open(folder, { name: FILE.name, size: SIZE, root: FILE.root }));
  await arriving.write(0, FILE.bytes);
  const here = new PieceSet(pieceCount(SIZE));
  here.addTouched({ start: 0, end: SIZE });
  const partials = new Partials(() => {});
  const partial = {
    name: FILE.name,
    size: SIZE,
    root: FILE.root,
    digests: FILE.digests,
    traits: {},
    here,
    open: () => arriving.openForReading(SIZE),
  };
  partials.add(partial);
  const uploads = new Uploads({ slots: 1, pace: undefined });
  const host = new Host({ share, partials, clock: systemClock, uploads });
  const address = stack.use(await serveHost(host, state)).address;
  const [first, second] = [stack.use(await connectTo(address)), stack.use(await connectTo(address))];
  const asked = { root: FILE.root, start: 0, end: SIZE };
  // It has the only slot as long as it does not read.
  await ask(first, Download, asked);
  const reading = askAndRead(second, Download, asked, async ({ bodyBytes }) => {
    const bytes = new Uint8Array(bodyBytes);
    await second.readBody(bytes);
    return bytes;
  }, { onNews: () => {} });
  await eventually("the second waits", () => uploads.large.size === 1);
  await arriving.finish(folder.path, FILE.name, SIZE);
  partials.remove(partial);
  const { mtime } = await Deno.stat(temp.at(FILE.name));
  share.adopt({ name: FILE.name, size: SIZE, modified: mtime?.getTime() ?? 0, root: FILE.root }, FILE.digests);
  first.close();
  assertEquals(await reading, FILE.bytes);
});

Deno.test("Host sends a range to the only receiver alone, and reports itself busy to another one", async () => {
  await using stack = new AsyncDisposableStack();
  const temp = stack.use(await TempFolder.make());
  await Deno.writeFile(temp.at(FILE.name), FILE.bytes);
  const folder = stack.use(await Folder.open(temp.path));
  const state = stack.use(State.open(folder.statePath("recess.db")));
  const share = stack.use(await Share.open(folder, state, { follows: false }));
  const { mtime } = await Deno.stat(temp.at(FILE.name));
  share.adopt({ name: FILE.name, size: SIZE, modified: mtime?.getTime() ?? 0, root: FILE.root }, FILE.digests);
  const uploads = new Uploads({ slots: 2, pace: undefined });
  const host = new Host({ share, partials: new Partials(() => {}), clock: systemClock, uploads });
  const address = stack.use(await serveHost(host, state)).address;
  const [first, second] = [stack.use(await connectTo(address)), stack.use(await connectTo(address))];
  const asked = { root: FILE.root, start: 0, end: 4 * PIECE_BYTES, alone: true };
  const read = (connection: typeof first): Promise<number> => {
    return askAndRead(connection, Download, asked, async ({ bodyBytes }) => {
      await connection.readBody(new Uint8Array(bodyBytes));
      return bodyBytes;
    });
  };
  assertEquals(await read(first), 4 * PIECE_BYTES);
  assertEquals((await assertRejects(() => read(second), Failure)).code, "busy");
});
