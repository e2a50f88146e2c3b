/**
 * The tables that commands show: found files, peers, own files, transfers.
 * @module
 */

import { type Address, formatAddress } from "../../core/address.ts";
import { fingerprint } from "../../core/fingerprint.ts";
import { shownPeerName } from "../../core/peer_name.ts";
import { SEARCH_ROWS_MAX } from "../../core/limits.ts";
import { formatCount, formatRate, formatSize } from "../../core/quantity.ts";
import type { PeerRemarks } from "../../peer/find/contacts.ts";
import type { FoundRows, PeerRow } from "../../peer/find/index_queries.ts";
import type { Row } from "../../peer/find/last_table.ts";
import type { TransferView } from "../../peer/get/transfer.ts";
import type { IndexContext, PeerContext } from "./command.ts";
import { percentDone } from "../screen/progress.ts";
import type { Column } from "../../cli/table.ts";

const NUMBERED_COLUMNS: readonly Column[] = [
  { title: "#", align: "right" },
  { title: "name", flexible: true },
  { title: "size", align: "right" },
  { title: "copies", align: "right" },
  { title: "peers", flexible: true },
];

/** Shows files found, numbered for `get`. */
export function showRows({ output, finding }: IndexContext, { rows, more, old = false }: FoundRows): void {
  const holders = (row: Row): string => {
    const names = row.peers.map((peer) => finding.contacts.remarks(peer).you ? "you" : shownPeerName(peer.name));
    return names.join(", ") + (row.holders > names.length ? ", …" : "");
  };
  output.table(
    NUMBERED_COLUMNS,
    rows.map((row, index) => ({
      cells: [String(index + 1), row.name, sizeOf(row), String(row.holders), holders(row)],
      object: { event: "file", number: index + 1, ...row },
    })),
  );
  if (old) {
    output.note("This list may be out of date: the index has lost touch with its other servers", { event: "old" });
  }
  if (more) {
    const isAll = rows.length >= SEARCH_ROWS_MAX;
    const what = isAll ? "a search shows no more, so add words" : "add words, or raise --limit";
    output.note(`There are more matches than the ${formatCount(rows.length, "row")} shown: ${what}`, {
      event: "more",
      shown: rows.length,
    });
  }
}

/** A file's size. Clients of the classroom dialects report only the names of their files. */
function sizeOf(row: Row): string {
  return row.peers.every(({ dialect }) => dialect !== undefined) ? "unknown" : formatSize(row.size);
}

/** Shows the peers at the index. */
export async function listPeers({ output, finding }: IndexContext): Promise<void> {
  const { peers } = await finding.queries.peers();
  output.table(
    [
      { title: "peer", flexible: true },
      { title: "key" },
      { title: "address", flexible: true },
      { title: "files", align: "right" },
      { title: "size", align: "right" },
    ],
    peers.map((row) => {
      const remarks = finding.contacts.remarks(row);
      const name = shownPeerName(row.name) + (remarks.you ? " (you)" : "");
      return {
        cells: row.dialect === undefined
          ? [name, keyOf(row, remarks), reachedAt(row), String(row.files), formatSize(row.bytes)]
          : [name, "none", reachedAt(row), String(row.files), "unknown"],
        object: { event: "peer", ...withoutCertificate(row), ...remarks },
      };
    }),
  );
  if (peers.length === 0) output.nothing("Nobody is here yet");
}

function keyOf({ id }: PeerRow, { changed, blocked }: PeerRemarks): string {
  return fingerprint(id) + (changed ? ", not the one before" : "") + (blocked ? ", blocked" : "");
}

function reachedAt({ host, port, plain }: PeerRow): string {
  if (port === undefined) return `${host}, cannot be reached`;
  return formatAddress({ host, port } satisfies Address) + (plain ? ", not encrypted" : "");
}

/** Leaves the certificate out: the id identifies the same key, and is shorter. */
function withoutCertificate({ certificate: _, ...row }: PeerRow): object {
  return row;
}

/** Shows what this peer shares, numbered for `put`. */
export function listFiles({ output, peer }: PeerContext): Promise<void> {
  const files = peer.files();
  output.table(
    [
      { title: "#", align: "right" },
      { title: "name", flexible: true },
      { title: "size", align: "right" },
      { title: "hashed", align: "right" },
    ],
    files.map(({ file, hashed }, index) => ({
      cells: [
        String(index + 1),
        file.name,
        formatSize(file.size),
        hashed === undefined ? "waiting" : `${Math.floor(hashed * 100)} %`,
      ],
      object: { event: "file", number: index + 1, ...file, hashed: hashed ?? 0 },
    })),
  );
  if (files.length === 0) output.nothing("You share nothing yet: put files into the folder");
  return Promise.resolve();
}

/** Shows downloads. */
export function listTransfers({ output, peer }: PeerContext): Promise<void> {
  const views = peer.transfers.views();
  output.table(
    [
      { title: "#", align: "right" },
      { title: "name", flexible: true },
      { title: "size", align: "right" },
      { title: "here", align: "right" },
      { title: "speed", align: "right" },
      { title: "state", flexible: "last", wraps: true },
    ],
    views.map((view) => ({
      cells: [
        String(view.id),
        view.name,
        formatSize(view.size),
        `${percentDone(view)} %`,
        view.bytesPerSecond > 0 ? formatRate(view.bytesPerSecond) : "",
        stateOf(view),
      ],
      object: { event: "transfer", ...view, failure: view.failure?.toWire() },
    })),
  );
  if (views.length === 0) output.nothing("There are no downloads: start one with get WHAT");
  return Promise.resolve();
}

/** Whether a transfer has not ended. */
export function isUnderWay({ state }: TransferView): boolean {
  return state !== "done" && state !== "failed" && state !== "cancelled";
}

/** A transfer's state in words, with the peers that it downloads from. */
function stateOf({ state, failure, before, isAsking, sources }: TransferView): string {
  const from = sources.map(shownPeerName).join(", ");
  if (failure !== undefined) return `${state}: ${failure.message}`;
  if (isAsking) return `asking ${from} for consent`;
  if (before !== undefined) return `in line, ${before} before you`;
  return sources.length === 0 ? state : `${state} from ${from}`;
}
