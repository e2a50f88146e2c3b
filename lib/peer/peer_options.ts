/**
 * How a peer is started, and what its parts share. Called by peer.ts, guest.ts and the shell.
 * @module
 */

import type { Address } from "../core/address.ts";
import { type Clock, systemClock } from "../core/flow/clock.ts";
import { Pace } from "../core/flow/pace.ts";
import type { Random } from "../core/random.ts";
import { type Dial, dial } from "../net/dial.ts";
import type { Room } from "../net/room_key.ts";
import type { OpenDatabase } from "../store/state/database.ts";
import type { InboxOptions } from "./inbox/inbox.ts";
import type { PeerEvent } from "./peer_event.ts";
import type { PicturesOptions } from "./pictures/pictures.ts";
import type { ConsentMode } from "./serve/consent.ts";

/** How a peer is started. */
export interface PeerOptions extends PicturesOptions {
  readonly folder: string;
  /**
   * Files that are shared in addition to those of the folder: their names, and their real paths.
   */
  readonly elsewhere?: ReadonlyMap<string, string> | undefined;
  readonly indexes: readonly Address[];
  /** The name to join with. Default: a name that is made up at the first start and kept. */
  readonly name?: string | undefined;
  readonly listen: Address;
  readonly onEvent: (event: PeerEvent) => void;
  /** Called with the error when a bug in this peer keeps it from answering another one. */
  readonly onBug?: ((thrown: unknown) => void) | undefined;
  /**
   * Whether downloads continue until they are done, also those of an earlier run. Default: they end
   * when no peer has the file.
   */
  readonly patient?: boolean | undefined;
  /**
   * Whether changes of the folder are noticed at once. Default: they are. A peer that soon ends is
   * faster without, because the system reports several events for each file that arrives.
   */
  readonly follows?: boolean | undefined;
  /** Whether other peers may have what they ask for. Default: they may. */
  readonly consent?: ConsentMode | undefined;
  /** Lets other peers put files into `inbox/`. Default: they may not. */
  readonly inbox?: InboxOptions | undefined;
  /** How many large uploads run at once. */
  readonly slots?: number | undefined;
  /** Whether this peer serves without encryption and also talks to peers that do. */
  readonly plain?: boolean | undefined;
  readonly room?: Room | undefined;
  /** Bytes a second of all uploads together. Default: as fast as possible. */
  readonly up?: number | undefined;
  /** Bytes a second of all downloads together. Default: as fast as possible. */
  readonly down?: number | undefined;
  /** How connections are made. Default: over TCP. */
  readonly dial?: Dial | undefined;
  /** Opens the database of the peer's state. Default: SQLite. */
  readonly openDatabase?: OpenDatabase | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
}

/** Options with every default filled in, and the two paces that all connections of a peer share. */
export interface PeerSetup extends Omit<PeerOptions, "up" | "down"> {
  readonly plain: boolean;
  readonly dial: Dial;
  readonly clock: Clock;
  readonly random: Random;
  /** The pace of everything that is sent. */
  readonly up: Pace | undefined;
  /** The pace of everything that is received. */
  readonly down: Pace | undefined;
}

/** Fills in the defaults. */
export function setupOf(options: PeerOptions): PeerSetup {
  const { plain = false, clock = systemClock, random = Math.random, up, down } = options;
  const paceOf = (rate: number | undefined): Pace | undefined => rate === undefined ? undefined : new Pace(rate, clock);
  return { ...options, plain, clock, random, dial: options.dial ?? dial, up: paceOf(up), down: paceOf(down) };
}
