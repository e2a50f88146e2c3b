/**
 * Downloads contents from the peers that have them. Called by lib/peer/get.
 *
 * A byte goes from a source's connection into a buffer of one piece. The digest of the piece is
 * compared with the list, and then the sink writes it. Only verified pieces count, and they stay,
 * whatever happens next.
 * @module
 */

import type { WantedContent } from "./content/content.ts";
import { Download } from "./download.ts";
import type { DownloadTools } from "./content/download_tools.ts";
import type { Sink } from "./pieces/sink.ts";
import { SmallDownload } from "./small/small_download.ts";
import type { SmallFile, SmallWatch } from "./small/small_file.ts";
import type { Downloaded, DownloadWatch, Given } from "./content/watch.ts";

/** The downloads of one peer. */
export class Downloads {
  readonly #tools: DownloadTools;

  constructor(tools: DownloadTools) {
    this.#tools = tools;
  }

  /**
   * Downloads a file into a sink.
   *
   * @throws {Failure} "disk-full" and "no-access" when our own disk fails; the reason of the
   * watch's signal; otherwise the failure of the last source, when no source is left.
   */
  async download(wanted: WantedContent, sink: Sink, watch: DownloadWatch): Promise<Downloaded> {
    await using download = new Download(wanted, sink, { watch, tools: this.#tools });
    return await download.run();
  }

  /**
   * Downloads many files of at most one piece each. The watch gets each file.
   *
   * @returns How much each source gave.
   * @throws {Failure} The reason of the watch's signal, and what `onFile` throws.
   */
  async downloadSmall(files: readonly SmallFile[], watch: SmallWatch): Promise<Given[]> {
    await using download = new SmallDownload(files, { watch, tools: this.#tools });
    return await download.run();
  }
}
