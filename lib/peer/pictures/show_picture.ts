/**
 * Shows a picture to another peer: announces it over TCP, sends it over UDP, and learns over TCP
 * that it has arrived. Called by pictures.ts.
 * @module
 */

import type { Address } from "../../core/address.ts";
import type { Clock } from "../../core/flow/clock.ts";
import { Failure } from "../../core/failure.ts";
import { checkImage } from "../../pictures/image_check.ts";
import { REPLY_WAIT_MS, SHOW_BYTES_MAX, SHOW_MS_MAX } from "../../core/limits.ts";
import type { Pace } from "../../core/flow/pace.ts";
import { printable } from "../../core/printable.ts";
import { ask } from "../../net/caller.ts";
import { DatagramCodec } from "../../protocol/datagram.ts";
import { Asking } from "../../protocol/files.ts";
import { Show, Shown } from "../../protocol/show.ts";
import type { Folder } from "../../store/files/folder.ts";
import { readNamedFile } from "../../store/files/named_file.ts";
import { sendPicture } from "../../pictures/send_picture.ts";
import type { Contacts } from "../find/contacts.ts";

/** What showing a picture needs. */
export interface ShowParts {
  readonly folder: Folder;
  readonly contacts: Pick<Contacts, "reach">;
  /**
   * Where datagrams for an address are sent. Default: to that address. Tests put a bad network in
   * between.
   */
  readonly routeDatagrams?: ((to: Address) => Address) | undefined;
  /** The pace of all that is sent. */
  readonly up: Pace | undefined;
  readonly clock: Clock;
}

/** A picture that was shown. */
export interface ShownPicture {
  readonly name: string;
  readonly size: number;
  /** From the other peer's consent until it reported that the picture had arrived. */
  readonly tookMs: number;
  /** Datagrams that the picture was divided into. */
  readonly parts: number;
  /** Datagrams that were sent; more than `parts` when some were lost. */
  readonly sent: number;
}

/**
 * Shows a picture to a peer.
 *
 * @param path Of the picture, in this peer's folder or anywhere else.
 * @param options.onAsking Called when the owner of the other peer is asked for consent.
 * @throws {Failure} "usage" when the file is no image, "too-large", "not-found", "refused", "busy",
 * "timeout", and the other peer's failures.
 */
export async function showPicture(
  { folder, contacts, routeDatagrams, up, clock }: ShowParts,
  peer: string,
  path: string,
  options: { onAsking?: () => void } = {},
): Promise<ShownPicture> {
  const { name, bytes } = await readNamedFile(path, folder, SHOW_BYTES_MAX);
  const type = checkImage(bytes);
  if (type === undefined) {
    throw new Failure(
      "usage",
      `Cannot show "${printable(name)}": it is no PNG, JPEG, GIF or WebP image, or a damaged one`,
      { hint: "send other files with: put FILE PEER" },
    );
  }
  const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  using reached = await contacts.reach(peer);
  const { connection } = reached;
  const { data: { port, token, key } } = await ask(connection, Show, { name, size: bytes.length, type, sha256 }, {
    onNews: (event) => event === Asking.event && options.onAsking?.(),
  });
  const startMs = clock.now();
  // Only to the host that we have called: no other has agreed to receive datagrams.
  const to = { host: connection.remote.host, port };
  const over = new AbortController();
  const shown = ask(connection, Shown, {}, { waitMs: SHOW_MS_MAX + REPLY_WAIT_MS }).finally(() => over.abort());
  // It is awaited below, but not when the sending fails first.
  shown.catch(() => {});
  const { parts, sent } = await sendPicture(bytes, {
    to: routeDatagrams?.(to) ?? to,
    from: connection.local.host,
    codec: new DatagramCodec(Uint8Array.fromHex(token), Uint8Array.fromHex(key)),
    clock,
    pace: up,
    signal: over.signal,
  });
  await shown;
  return { name, size: bytes.length, tookMs: clock.now() - startMs, parts, sent };
}
