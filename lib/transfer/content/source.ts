/**
 * A peer that has a content, as the index lists it, and how a download connects to it.
 * @module
 */

import type { Address } from "../../core/address.ts";
import type { Connection } from "../../net/connection.ts";

/** A peer that has the content, or parts of it, and what it calls it. */
export interface Source {
  readonly peer: string;
  /** SHA-256 of its certificate. */
  readonly id: string;
  readonly address: Address;
  /** Whether it serves without encryption. */
  readonly plain: boolean;
  readonly name: string;
}

/** Connects to a source and says HELLO, as lib/peer/find/contacts.ts does. */
export type Connect = (source: Source, signal: AbortSignal) => Promise<Connection>;
