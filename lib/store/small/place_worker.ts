/**
 * Places small files beside the main thread. Runs in a Worker that small_placer.ts starts from its
 * own module, so that a bundle of one file contains both worker and program. The messages have
 * their types here.
 * @module
 */

import { Failure, type FailureCode } from "../../core/failure.ts";
import type { FoundFile } from "../files/found_file.ts";
import type { Traits } from "../files/traits.ts";
import { SmallPlaces } from "./small_places.ts";

/** A small file that has arrived. */
export interface ToPlace {
  /** Its name below the folder, as `receivedName` gave it. */
  readonly name: string;
  readonly size: number;
  readonly traits: Traits;
}

/** To the worker: files to place below the real path `root`. `bytes` has one after the other. */
export interface PlaceAll {
  readonly root: string;
  /** The folder for files on their way. */
  readonly incoming: string;
  readonly files: readonly ToPlace[];
  readonly bytes: Uint8Array;
}

/** Why a file could not be placed. */
export interface NotPlaced {
  readonly code: FailureCode;
  readonly message: string;
  readonly hint: string;
}

/** From the worker: how each file fared, in order. */
export type Placed = FoundFile | NotPlaced;

/** The worker's name, by which this module knows where it runs. */
export const PLACE_WORKER = "recess place worker";

// The page and worker types of the library disagree on what `self` is. Only these members are used.
const port = self as unknown as {
  readonly name?: string | undefined;
  onmessage: (event: MessageEvent<PlaceAll>) => void;
  postMessage(message: readonly Placed[]): void;
};

// Only in the worker. Everywhere else this module is loaded for its types and its worker's name.
if (port.name === PLACE_WORKER) {
  let incoming = "";
  let places: SmallPlaces | undefined;
  port.onmessage = ({ data }) => {
    incoming = data.incoming;
    places ??= new SmallPlaces(data.root, () => incoming);
    port.postMessage(placeAll(places, data));
  };
}

function placeAll(places: SmallPlaces, { files, bytes }: PlaceAll): Placed[] {
  let start = 0;
  return files.map(({ name, size, traits }) => {
    try {
      return places.place(bytes.subarray(start, start += size), name, traits);
    } catch (thrown) {
      const { code, message, hint } = Failure.from(thrown, "internal", "Cannot place a file");
      return { code, message, hint };
    }
  });
}
