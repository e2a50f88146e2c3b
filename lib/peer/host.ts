/**
 * What a peer answers to other peers: what it shares, the digests of a file, its bytes. Nothing here writes, and every path goes through
 * lib/store/folder.ts.
 * @module
 */

import { DIGEST_BYTES } from "../core/content.ts";
import { failedWith, Failure } from "../core/failure.ts";
import { PAGE_DIGESTS_MAX } from "../core/limits.ts";
import { printable } from "../core/printable.ts";
import { type Answer, route, type Routes, routes } from "../net/answerer.ts";
import { fitting } from "../protocol/batch.ts";
import { Download, List, Pieces } from "../protocol/files.ts";
import type { DataOf, ReplyOf } from "../protocol/message.ts";
import type { SharedFile } from "../store/file_list.ts";
import type { Share } from "../store/share.ts";
import { sendRange } from "../transfer/send.ts";

/** What the answers come from. */
export interface Host {
  readonly share: Share;
}

/** What peers may ask a peer. */
export const HOST_ROUTES: Routes<Host> = routes(
  route(List, list),
  route(Pieces, pieces),
  route(Download, download),
);

function list({ share }: Host, { after, limit }: DataOf<typeof List>): Promise<Answer<ReplyOf<typeof List>>> {
  const { files, more } = share.files.page(after, limit);
  const sent = fitting(files);
  return Promise.resolve({ data: { files: sent, more: more || sent.length < files.length } });
}

async function pieces({ share }: Host, data: DataOf<typeof Pieces>): Promise<Answer<ReplyOf<typeof Pieces>>> {
  const known = await share.pieces(wanted(share, data), data.from);
  const bytes = Math.min(known.digests.length, Math.min(data.limit, PAGE_DIGESTS_MAX) * DIGEST_BYTES);
  const body = known.digests.subarray(0, bytes);
  return { data: known.file, body: { bytes, write: (stream) => writeAll(stream, body) } };
}

async function download({ share }: Host, data: DataOf<typeof Download>): Promise<Answer<ReplyOf<typeof Download>>> {
  const file = wanted(share, data);
  const range = { start: data.start, end: data.end ?? file.size };
  if (range.end > file.size || range.start > range.end) {
    throw new Failure("malformed", `Cannot send bytes ${range.start} to ${range.end}: the file has ${file.size}`);
  }
  const open = await openOrRefuse(share, file);
  return {
    data: file,
    body: {
      bytes: range.end - range.start,
      async write(stream) {
        using opened = open;
        await sendRange(opened, range, stream, () => {});
      },
    },
  };
}

/** The file a request is about. */
function wanted(share: Share, { name, root }: { name?: string; root?: string }): SharedFile {
  const file = name === undefined ? root === undefined ? undefined : share.files.byRoot(root) : share.files.get(name);
  if (file !== undefined) return file;
  throw new Failure("not-shared", `Cannot send "${printable(name ?? root ?? "")}": it is not shared here`);
}

/** Opens a file. A file that cannot be read is no fault of the peer that asks, and nothing it could mend. */
async function openOrRefuse(share: Share, file: SharedFile): ReturnType<Share["open"]> {
  try {
    return await share.open(file);
  } catch (thrown) {
    if (!failedWith(thrown, "no-access")) throw thrown;
    throw new Failure("not-shared", `Cannot send "${printable(file.name)}": it cannot be read`, { cause: thrown });
  }
}

async function writeAll(stream: { write(bytes: Uint8Array): Promise<number> }, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await stream.write(bytes.subarray(done));
}
