/**
 * The people that a peer knows: the name of each key, what each is always allowed, which are
 * blocked, and which folder of the inbox belongs to which key. Kept whole in memory and written by
 * state.ts, with a second copy in trust_copy.ts: a key that was seen once must not be accepted as
 * new because a disk failed.
 * @module
 */

import { SENDER_FOLDERS_KEPT_MAX } from "../../core/limits.ts";
import { HeldTable } from "./held_table.ts";

/** A blocked peer, and the name it had when it was blocked. */
export interface BlockedPeer {
  readonly id: string;
  readonly name: string;
}

/** People, by their ids and by the `peerNameKey` of their names. */
export class PeopleStore {
  readonly #known = new HeldTable({ name: "known_peers", columns: ["name", "id"], key: ["name"] });
  readonly #allowed = new HeldTable({ name: "allowed_wishes", columns: ["id", "kind"], key: ["id", "kind"] });
  readonly #blocked = new HeldTable({ name: "blocked_peers", columns: ["id", "name"], key: ["id"] });
  readonly #senderFolders = new HeldTable({ name: "drawers", columns: ["name", "id"], key: ["name"] });
  readonly #onChanged: () => void;
  readonly #onMet: () => void;

  /**
   * @param onChanged Called when something is to be written now: a person decided it, or a key got
   * a folder.
   *
   * @param onMet Called when a peer is remembered that was met for the first time, which may be
   * written a moment later: a run that is killed in that moment meets it for the first time again.
   */
  constructor({ onChanged, onMet }: { readonly onChanged: () => void; readonly onMet: () => void }) {
    this.#onChanged = onChanged;
    this.#onMet = onMet;
  }

  /** The tables to write. */
  get tables(): readonly HeldTable[] {
    return [this.#known, this.#allowed, this.#blocked, this.#senderFolders];
  }

  /** The id under which a peer with this name was used first. */
  knownPeer(name: string): string | undefined {
    const row = this.#known.get(name);
    return row === undefined ? undefined : String(row["id"]);
  }

  /** Remembers a peer, if there is none with this name yet. */
  rememberPeer(name: string, id: string): void {
    if (this.#known.get(name) !== undefined) return;
    this.#known.put({ name, id });
    this.#onMet();
  }

  /** Remembers a peer instead of the one that had the name before. */
  trustPeer(name: string, id: string): void {
    this.#known.put({ name, id });
    this.#onChanged();
  }

  /** Whether the peer with this id is always allowed wishes of this kind. */
  isAllowed(id: string, kind: string): boolean {
    return this.#allowed.get(id, kind) !== undefined;
  }

  /** Always allows the peer with this id wishes of this kind. */
  allow(id: string, kind: string): void {
    this.#allowed.put({ id, kind });
    this.#onChanged();
  }

  /** Whether the peer with this id is blocked. */
  isBlocked(id: string): boolean {
    return this.#blocked.get(id) !== undefined;
  }

  /** All blocked peers. */
  blocked(): BlockedPeer[] {
    return this.#blocked.all().map(({ id, name }) => ({ id: String(id), name: String(name) }));
  }

  /** Blocks a peer. It is then no longer always allowed anything. */
  block({ id, name }: BlockedPeer): void {
    this.#blocked.put({ id, name });
    for (const row of this.#allowed.all()) if (row["id"] === id) this.#allowed.drop(id, String(row["kind"]));
    this.#onChanged();
  }

  /** Unblocks a peer. */
  unblock(id: string): void {
    this.#blocked.drop(id);
    this.#onChanged();
  }

  /** The key that owns a folder of the inbox. */
  senderFolderOwner(folder: string): string | undefined {
    const row = this.#senderFolders.get(folder);
    return row === undefined ? undefined : String(row["id"]);
  }

  /**
   * Gives a folder of the inbox to a key.
   *
   * @returns Whether it could be remembered.
   */
  claimSenderFolder(folder: string, id: string): boolean {
    if (this.#senderFolders.size >= SENDER_FOLDERS_KEPT_MAX) return false;
    this.#senderFolders.put({ name: folder, id });
    this.#onChanged();
    return true;
  }
}
