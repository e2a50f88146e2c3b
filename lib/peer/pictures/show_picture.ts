/**
 * Shows another peer a picture: asks over TCP, sends over UDP, and hears over TCP that it is there. Called by pictures.ts.
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

/** What showing needs. */
export interface ShowParts {
  readonly folder: Folder;
  readonly contacts: Pick<Contacts, "reach">;
  /** Where datagrams for an address are sent; default: to that address. Tests put a bad network in between. */
  readonly routeDatagrams?: ((to: Address) => Address) | undefined;
  /** The pace of all that is sent. */
  readonly up: Pace | undefined;
  readonly clock: Clock;
}

/** A picture that was shown. */
export interface ShownPicture {
  readonly name: string;
  readonly size: number;
  /** From the answer of the other side to its word that the picture is there. */
  readonly tookMs: number;
  /** In how many datagrams it went, and how many had to be sent. */
  readonly parts: number;
  readonly sent: number;
}

/**
 * Shows a picture. `onAsking` is called when a person at the other side has to be asked. Fails: "usage" for what is no image, "too-large",
 * "not-found", "refused", "busy", "timeout", and as the other side says.
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
      {
        hint: "other files go with: put FILE PEER",
      },
    );
  }
  const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  using reached = await contacts.reach(peer);
  const { connection } = reached;
  const { data: { port, token, key } } = await ask(connection, Show, { name, size: bytes.length, type, sha256 }, {
    onNews: (event) => event === Asking.event && options.onAsking?.(),
  });
  const startMs = clock.now();
  // Nobody but the one we have called: what is at another address did not ask for it.
  const to = { host: connection.remote.host, port };
  const over = new AbortController();
  const told = ask(connection, Shown, {}, { waitMs: SHOW_MS_MAX + REPLY_WAIT_MS }).finally(() => over.abort());
  // Handled below; also when the sending has failed before.
  told.catch(() => {});
  const { parts, sent } = await sendPicture(bytes, {
    to: routeDatagrams?.(to) ?? to,
    from: connection.local.host,
    codec: new DatagramCodec(Uint8Array.fromHex(token), Uint8Array.fromHex(key)),
    clock,
    pace: up,
    signal: over.signal,
  });
  await told;
  return { name, size: bytes.length, tookMs: clock.now() - startMs, parts, sent };
}
