/**
 * What a request about a file means: the shared file, or what has arrived of a file that this peer
 * is still downloading. Called by host.ts and small_uploads.ts.
 * @module
 */

import { failedWith, Failure } from "../../core/failure.ts";
import { printable } from "../../core/printable.ts";
import type { Pieces } from "../../protocol/files.ts";
import type { ReplyOf } from "../../protocol/message.ts";
import type { OpenFile } from "../../store/files/folder.ts";
import type { SharedFile } from "../../store/share/file_list.ts";
import type { Share } from "../../store/share/share.ts";
import type { PartialCopy, Partials } from "../../transfer/content/partials.ts";
import type { Wish } from "./consent.ts";

/**
 * A content that this peer can send: a whole file, or the pieces of one that have arrived so far.
 */
export type Shared =
  | { readonly kind: "whole"; readonly file: SharedFile }
  | { readonly kind: "partial"; readonly file: PartialCopy };

/** What a request names: a file, or a content. */
export interface Named {
  readonly name?: string | undefined;
  readonly root?: string | undefined;
}

/** All contents that this peer can send. */
export class SharedContents {
  readonly #share: Share;
  readonly #partials: Partials;

  constructor({ share, partials }: { readonly share: Share; readonly partials: Partials }) {
    this.#share = share;
    this.#partials = partials;
  }

  /**
   * Finds what a request is about.
   *
   * @throws {Failure} "not-shared".
   */
  wanted({ name, root }: Named): Shared {
    const { files } = this.#share;
    const file = name !== undefined ? files.get(name) : root !== undefined ? files.byRoot(root) : undefined;
    if (file !== undefined) return { kind: "whole", file };
    const partial = name === undefined && root !== undefined ? this.#partials.get(root) : undefined;
    if (partial !== undefined) return { kind: "partial", file: partial };
    throw new Failure("not-shared", `Cannot send "${printable(name ?? root ?? "")}": it is not shared here`);
  }

  /**
   * Opens a content.
   *
   * @throws {Failure} "not-shared"; "not-here" when what has arrived cannot be read now.
   */
  open({ kind, file }: Shared): OpenFile {
    if (kind === "whole") return openOrRefuse(this.#share, file);
    // It may have become whole, and lie at its place, while the caller waited for its turn.
    const now = this.#share.files.byRoot(file.root);
    if (now !== undefined) return openOrRefuse(this.#share, now);
    try {
      return file.open();
    } catch (cause) {
      throw new Failure("not-here", `Cannot send "${printable(file.name)}": it is on its way to its place`, { cause });
    }
  }
}

/** The wish to have a content. */
export function wishFor({ kind, file }: Shared): Pick<Wish, "kind" | "name" | "root" | "size" | "modified"> {
  const { name, size, root } = file;
  return { kind: "download", name, size, root, modified: kind === "whole" ? file.modified : undefined };
}

/**
 * Describes a content in the fields of the wire. A partial copy has no time, since it was never a
 * file here.
 */
export function described({ kind, file }: Shared): ReplyOf<typeof Pieces> {
  const { modified = 0, executable } = kind === "partial" ? file.traits : file;
  const { name, size, root } = file;
  return {
    name,
    size,
    modified,
    executable: executable === true ? executable : undefined,
    root,
  };
}

/**
 * Opens a file. When it cannot be read, opens another copy of the same content instead.
 *
 * @throws {Failure} "not-shared" when no copy can be read: the caller has done nothing wrong and
 * cannot change it.
 */
function openOrRefuse(share: Share, file: SharedFile): OpenFile {
  const others = file.root === undefined
    ? []
    : share.files.copiesOf(file.root).filter(({ name }) => name !== file.name);
  let refusal: unknown;
  for (const copy of [file, ...others]) {
    try {
      return share.open(copy);
    } catch (thrown) {
      if (!failedWith(thrown, "no-access", "not-shared", "file-changed")) throw thrown;
      refusal ??= thrown;
    }
  }
  if (!failedWith(refusal, "no-access")) throw refusal;
  throw new Failure("not-shared", `Cannot send "${printable(file.name)}": it cannot be read`, { cause: refusal });
}
