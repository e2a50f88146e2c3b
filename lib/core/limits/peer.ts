/**
 * Bounds of what a peer accepts, does at once and remembers.
 * @module
 */

import { HITS_MAX } from "./wire.ts";

/** Connections from other peers that a peer serves at once. */
export const PEER_CONNECTIONS_MAX = 256;
/**
 * Connections that the system holds until they are accepted: a roomful of peers arrives at once.
 */
export const BACKLOG_CONNECTIONS_MAX = 4096;
/**
 * Connections to one port that have not proven a key yet, counted from the moment they are
 * accepted.
 */
export const STRANGERS_MAX = 1_024;
/** Time in which a connection has to prove its key before it may lose its place to another one. */
export const STRANGER_GRACE_MS = 1_000;
/**
 * Time between two refusals in words. Connections that come in between are closed without a reply,
 * so that a flood costs little.
 */
export const REFUSAL_EVERY_MS = 10;
/** Bytes that wait for a slow reader before its connection is closed. */
export const SEND_QUEUE_BYTES_MAX = 4 * 1024 * 1024;
/** Addresses with wrong guesses at the room key that are remembered. */
export const GUESSING_ADDRESSES_MAX = 10_000;
/** Addresses, or keys, that have a pace of their own in memory. */
export const PACED_ADDRESSES_MAX = 10_000;
/** Certificates of other peers that a peer remembers. */
export const IDENTITIES_CACHED_MAX = 10_000;
/** Folders inside folders that are scanned. */
export const SCAN_DEPTH_MAX = 64;
/** The largest manifest: some hundred bytes for each file that a peer may list. */
export const MANIFEST_BYTES_MAX = 64 * 1024 ** 2;
/** Rows that one search of a person shows, even when --limit asks for more. */
export const SEARCH_ROWS_MAX = 20 * HITS_MAX;
/**
 * Rows of the last table that can be named by their numbers. As many files of a peer and peers of
 * an index are listed.
 */
export const TABLE_ROWS_MAX = 10_000;
/** Hits in which a folder is looked for when a person typed its name in another form. */
export const FOLDER_NAME_HITS_MAX = 2_000;
/** Large uploads that run at once by default: other peers wait in line. */
export const UPLOAD_SLOTS = 8;
/** Small answers, of a piece or less, that are sent at once beside the large uploads. */
export const SMALL_UPLOADS_MAX = 32;
/**
 * The rate that each upload slot has at least, about a piece a second: a peer with a lower limit
 * has fewer slots.
 */
export const UPLOAD_SLOT_BYTES_PER_SECOND = 1_000_000;
/** The rate at which a receiver has to read to keep its upload slot while others wait. */
export const UPLOAD_BYTES_PER_SECOND_MIN = 500_000;
/**
 * Uploads that lost their slots to faster receivers and finish a piece. With more, the oldest is
 * cut off.
 */
export const UPLOADS_ASIDE_MAX = 32;
/** Peers in the line for uploads with a count of their turns. */
export const UPLOAD_TURNS_KEPT_MAX = 10_000;
/**
 * Contents for which a peer remembers the peers that want them and the pieces that it gave away.
 */
export const DEMANDED_CONTENTS_MAX = 256;
/**
 * Bytes of one requested range that count as promised to its receiver: as many as a peer of ours
 * requests at once.
 */
export const PROMISED_BYTES_MAX = 128 * 1024 ** 2;
/** Questions of consent that wait for an answer at once. */
export const QUESTIONS_OPEN_MAX = 100;
/**
 * Questions of consent that wait for an answer about one peer, so that one peer cannot fill the
 * screen.
 */
export const QUESTIONS_PER_PEER_MAX = 8;
/** Answers of consent that are remembered, so that the owner is asked about a file once. */
export const CONSENT_REMEMBERED_MAX = 10_000;
/** Pictures that arrive at once, each in memory. */
export const PICTURES_AT_ONCE_MAX = 4;
/** Pictures that arrive at once from one peer. */
export const PICTURES_PER_PEER_MAX = 2;
/** Pixels of a picture: more than cameras have, and as many as a terminal can hold. */
export const IMAGE_PIXELS_MAX = 2 ** 28;
/** Datagrams of one picture that are under way at once: what 200 ms of a fast network hold. */
export const DATAGRAM_WINDOW_MAX = 4096;
/** Downloads that run at once: others wait for their turn. */
export const TRANSFERS_RUNNING_MAX = 8;
/** Transfers, running and ended, that a peer remembers. */
export const TRANSFERS_KEPT_MAX = 1000;
/** Peers from which one file is downloaded at once. Others replace those that deliver nothing. */
export const DOWNLOAD_SOURCES_MAX = 16;
/** Peers that one download knows as sources. */
export const DOWNLOAD_CANDIDATES_MAX = 1_000;
/**
 * Connections that one download keeps to sources without a place: a new one takes both sides 5 ms
 * of CPU time.
 */
export const SOURCE_CONNECTIONS_KEPT_MAX = 32;
/** Peers that delivered something and are remembered, so that the next download asks them first. */
export const DELIVERERS_KEPT_MAX = 10_000;
/**
 * Replies to PIECES without a digest, one after the other, after which a source is not going to
 * hash the file.
 */
export const EMPTY_DIGEST_ANSWERS_MAX = 30;
/** Connections over which one download fetches small files at once. */
export const SMALL_CONNECTIONS_MAX = 16;
/** Requests for small files on one connection that wait for their answers. */
export const SMALL_REQUESTS_AHEAD = 4;
/**
 * Times that all connections to a peer fail without a small file, before the download continues
 * without that peer.
 */
export const SMALL_TRIES_MAX = 5;
/** Files of one folder that are downloaded together. */
export const FOLDER_FILES_MAX = 250_000;
/** Numbers that are tried to give a received file a free name. */
export const SAME_NAMES_MAX = 10_000;
/** Contents with a remembered place outside the folder after their download. */
export const PLACED_REMEMBERED_MAX = 50_000;
/** Missing pieces of one file for which this machine's shared files are searched. */
export const PIECES_LOOKED_UP_MAX = 65_536;
/** Shared files in which the pieces of one download are looked up. */
export const FILES_LOOKED_AT_MAX = 1_000;
/** Holders of one content that are looked at to learn with which sizes it is listed. */
export const HOLDERS_LOOKED_AT_MAX = 2_000;
/**
 * Peers that are asked at once to prove the size of a content that is listed with several sizes.
 */
export const PROOFS_AT_ONCE = 16;
/** Peers that ask their owners for consent to prove a size, beside those that are asked at once. */
export const PROOFS_ASKING_MAX = 256;
/** The size of an inbox by default. */
export const INBOX_BYTES_MAX = 20 * 1024 ** 3;
/** One sender may use one part in this many of an inbox, so that nobody fills it alone. */
export const INBOX_PARTS = 2;
/** Files in an inbox. */
export const INBOX_FILES_MAX = 10_000;
/** Files of one sender in an inbox, unfinished ones included. */
export const INBOX_FILES_PER_SENDER_MAX = 1_000;
/** Files that arrive in an inbox at once: others wait in line. */
export const INBOX_RUNNING_MAX = 8;
/**
 * Folders of an inbox that are named after their senders alone. The names of further folders also
 * hold the senders' keys.
 */
export const SENDER_FOLDERS_KEPT_MAX = 10_000;
/**
 * Bytes that are requested at once from a peer that puts a file: the platform's TLS server reads
 * ahead without end.
 */
export const PUT_SPAN_BYTES_MAX = 8 * 1024 ** 2;
/**
 * Requests about an offered file that wait for an answer at once: an honest peer sends one after
 * the other.
 */
export const OFFER_QUESTIONS_MAX = 16;
/**
 * Messages that a peer accepts from one other peer in a second: others wait. A script may write as
 * fast.
 */
export const TELLS_PER_SECOND_MAX = 200;
/** Messages that wait for one peer to return. */
export const OUTBOX_PER_PEER_MAX = 2_000;
/** Messages that wait for any peer to return: forty mebibytes at most. */
export const OUTBOX_MAX = 10_000;
/** Peers to which messages are delivered at once: messages for other peers wait for their turn. */
export const TELLING_MAX = 16;
/** Times that a message is sent again before its receiver counts as away. */
export const TELL_RESENDS_MAX = 3;
/**
 * Messages, received and sent, that a peer keeps. With more, the oldest of the sender with most
 * messages are deleted.
 */
export const MESSAGES_KEPT_MAX = 10_000;
/** Senders with a remembered last message, so that no message is shown twice. */
export const TELLERS_KEPT_MAX = 10_000;
/** Room that a peer with an inbox keeps free on its disk for its own database. */
export const DISK_RESERVE_BYTES = 8 * 1024 ** 2;
/**
 * Damaged databases that a peer sets aside in one run, so that a failing disk is not filled with
 * them.
 */
export const STATE_RENEWALS_MAX = 10;
/** Starts of a peer that have to find an unfinished file unchanged before the file is removed. */
export const UNFINISHED_KEPT_STARTS = 10;
/** Damaged or unreadable files that are reported to the owner in one run. */
export const TROUBLES_TOLD_MAX = 100;
/**
 * Lines of a log that are kept while they cannot be written. Further lines are counted and dropped.
 */
export const LINES_HELD_MAX = 10_000;
