/**
 * A manifest that is read again whenever it changes while the peer runs. Called by peer.ts.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import type { Clock } from "../../core/flow/clock.ts";
import { type Manifest, readManifest } from "./manifest.ts";

/**
 * How often it is looked at. A watch would miss what editors do, which replace a file by another,
 * and changes on a network disk.
 */
const LOOK_EVERY_MS = 1_000;

/** The reactions to a change of the manifest. */
export interface ManifestFollower {
  readonly clock: Clock;
  readonly onChange: (manifest: Manifest) => Promise<void>;
  /** Called once when it cannot be read any more. What it listed last stays shared. */
  readonly onUnreadable: (failure: Failure) => void;
}

/** One manifest on the disk. */
export class ManifestFile {
  readonly path: string;
  #version = "";

  constructor(path: string) {
    this.path = path;
  }

  /**
   * Reads it.
   *
   * @throws {Failure} What {@linkcode readManifest} throws.
   */
  async read(): Promise<Manifest> {
    // Looked at first, so that a change while it is read is seen the next time.
    this.#version = await this.#look();
    return await readManifest(this.path);
  }

  /** Reads it again after each change, until the signal is aborted. */
  async follow({ clock, onChange, onUnreadable }: ManifestFollower, signal: AbortSignal): Promise<void> {
    let last = this.#version;
    while (await clock.delay(LOOK_EVERY_MS, signal).then(() => true, () => false)) {
      const before = last;
      last = await this.#look();
      // A file that changed since the last look may still be incomplete.
      if (last === this.#version || last !== before) continue;
      try {
        await onChange(await this.read());
      } catch (thrown) {
        if (!(thrown instanceof Failure)) throw thrown;
        onUnreadable(thrown);
      }
    }
  }

  /** What changes when the file does. Empty when there is no file. */
  async #look(): Promise<string> {
    try {
      const { size, mtime, ino } = await Deno.stat(this.path);
      return JSON.stringify([size, mtime?.getTime(), ino]);
    } catch {
      return "";
    }
  }
}
