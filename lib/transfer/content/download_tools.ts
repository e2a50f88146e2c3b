/**
 * What all downloads of one peer share. downloads.ts is made with it, and hands it to each
 * download.
 * @module
 */

import type { Clock } from "../../core/flow/clock.ts";
import type { Failure } from "../../core/failure.ts";
import type { Pace } from "../../core/flow/pace.ts";
import type { Random } from "../../core/random.ts";
import type { LocalPieces } from "../../store/share/local_pieces.ts";
import type { Deliverers } from "./deliverers.ts";
import type { SourceFinder } from "./finder.ts";
import type { Partials } from "./partials.ts";
import type { Connect } from "./source.ts";

/** What does not change while a peer runs. */
export interface DownloadTools {
  readonly connect: Connect;
  readonly finder: SourceFinder;
  readonly clock: Clock;
  readonly random: Random;
  /** The pace of everything that is received. */
  readonly pace?: Pace | undefined;
  /** Peers that delivered something before: they are asked first. */
  readonly deliverers?: Deliverers | undefined;
  /** Where downloads into files offer their pieces to other peers. */
  readonly partials?: Partials | undefined;
  /** Pieces that are on this machine, which no source is asked for. */
  readonly local?: Pick<LocalPieces, "find" | "mayHaveVersion" | "open" | "distrust"> | undefined;
  /** Called when a source is dropped because of what it sent. */
  readonly onBadSource?: ((peer: string, name: string, failure: Failure) => void) | undefined;
}
