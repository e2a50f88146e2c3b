/**
 * How long anything is waited for, and how often anything is repeated.
 * @module
 */
/** How long to wait for a TCP connection. */
export const CONNECT_WAIT_MS = 5_000;
/** How long to wait for HELLO on a new connection. */
export const HELLO_WAIT_MS = 10_000;
/** How long to wait for PROVE after HELLO. */
export const PROVE_WAIT_MS = 5_000;
/** How long to wait for a reply. */
export const REPLY_WAIT_MS = 15_000;
/** How long to wait for the next byte of a body, or for the other side to read one. */
export const BODY_WAIT_MS = 15_000;
/** How long a program waits for its running work after a signal to stop. */
export const CLOSE_WAIT_MS = 3_000;
/**
 * How long a whole list may take, page by page: the files of a peer or a folder, the holders of a
 * content. Waits for our own rate do not count.
 */
export const LIST_MS_MAX = 300_000;
/** Silence after which a peer closes the connection of another peer. */
export const PEER_IDLE_MS_MAX = 120_000;
/** How often a peer tells its index that it is still there. */
export const PING_EVERY_MS = 12_000;
/** Silence after which an index takes a session for dead: three pings are missing. */
export const SILENCE_MS_MAX = 40_000;
/**
 * How long an index waits for a sign of life from a session whose name another connection wants.
 */
export const PROBE_WAIT_MS = 2_000;
/** How long an index tries to reach a peer that has joined. */
export const DIAL_BACK_WAIT_MS = 3_000;
/** How long after a dial-back without an answer an index tries once more. */
export const DIAL_BACK_AGAIN_MS = 10_000;
/** Time that a dial-back has before it may be ended for another one. */
export const DIAL_BACK_GRACE_MS = 500;
/** How long a peer that joins waits to hear whether others can reach it. */
export const REACHED_WAIT_MS = 500;
/**
 * The longest first wait of a peer that lost its index. Chance shortens it, so that not all peers
 * return at once.
 */
export const RECONNECT_SPREAD_MS = 4_000;
/** The first wait before a peer tries to reach an index again. It doubles with each attempt. */
export const RECONNECT_FIRST_MS = 500;
/** The longest wait before a peer tries to reach an index again. */
export const RECONNECT_LAST_MS = 15_000;
/**
 * How often a returning peer retries its own name, assuming that its dead session still holds it.
 */
export const OWN_NAME_TAKEN_MAX = 3;
/** The pause before a second guess at the room key from the same address. */
export const GUESS_FIRST_MS = 250;
/** The longest pause between two guesses at the room key from the same address. */
export const GUESS_LAST_MS = 10_000;
/**
 * Silence after which an HTTP connection is closed: longer than Prometheus waits between two
 * requests.
 */
export const HTTP_IDLE_MS_MAX = 75_000;
/** How long to wait for the head of an HTTP request after its first byte. */
export const HTTP_HEAD_WAIT_MS = 10_000;
/** How long to wait for the whole body of an HTTP request. */
export const HTTP_BODY_WAIT_MS = 3_000;
/**
 * Silence after which an index forgets a peer of a classroom dialect: such a peer only connects
 * when it wants something.
 */
export const DIALECT_SILENCE_MS_MAX = 30 * 60_000;
/** How long to wait for the rest of a request in a classroom dialect: a person may be typing it. */
export const DIALECT_REQUEST_WAIT_MS = 30_000;
/** Silence after which words without a line feed count as a complete request. */
export const DIALECT_QUIET_MS = 300;
/**
 * The pause between an answer that announces a file and the file's bytes, so that a client reads
 * them apart.
 */
export const DIALECT_HEADER_PAUSE_MS = 300;
/** How long a person has to answer a question of consent. No answer is a refusal. */
export const CONSENT_WAIT_MS = 60_000;
/** How often a peer in line gets its place, even when the place is the same. */
export const QUEUED_EVERY_MS = 5_000;
/**
 * How long a turn at an upload slot lasts while others wait. It ends with the next piece, and the
 * receiver asks again.
 */
export const UPLOAD_TURN_MS_MAX = 10_000;
/** How long PIECES waits for the next digests of a file that is being hashed. */
export const PIECES_WAIT_MS = 1_000;
/**
 * How often a peer that puts a file gets the number of bytes that have arrived, if it has changed.
 */
export const TAKEN_EVERY_MS = 250;
/** Time without a new part of a picture after which both sides give up. */
export const SHOW_IDLE_MS_MAX = 10_000;
/** How long a picture may take to arrive. */
export const SHOW_MS_MAX = 600_000;
/** The first wait before a download tries a source again. */
export const RETRY_FIRST_MS = 250;
/** The longest wait before a download tries a source again. */
export const RETRY_LAST_MS = 4_000;
/** Attempts without a piece at one source before the download continues without that source. */
export const RETRIES_MAX = 6;
/** Time without a new piece after which a download gives up, unless it waits in a source's line. */
export const DOWNLOAD_IDLE_MS_MAX = 60_000;
/**
 * Time without a new piece after which a download gives up in any case: a line that has not moved
 * in that time never will.
 */
export const DOWNLOAD_WAIT_MS_MAX = 60 * 60_000;
/** The first wait before a download asks the index again for sources. */
export const FIND_AGAIN_FIRST_MS = 500;
/** The longest wait before a download asks the index again for sources. */
export const FIND_AGAIN_LAST_MS = 5_000;
/** The first wait before a transfer whose sources are all away is attempted again. */
export const ATTEMPT_FIRST_MS = 1_000;
/** The longest wait before a transfer whose sources are all away is attempted again. */
export const ATTEMPT_LAST_MS = 15_000;
/** How long one peer has to prove the size of a content. */
export const PROVE_SIZE_MS = 10_000;
/** Time after which an unfinished file that no download continues may be removed. */
export const UNFINISHED_KEPT_MS = 30 * 24 * 3_600_000;
/** How long to wait for the receiver of a message before it is sent again. */
export const TELL_WAIT_MS = 2_000;
/**
 * How long to wait for the index to confirm the name of a message's sender: shorter than the sender
 * waits.
 */
export const TELLER_NAME_WAIT_MS = 1_000;
/**
 * How long a connection for messages is kept for the next one: shorter than the other side keeps
 * it.
 */
export const TELL_IDLE_MS = 30_000;
/** The first wait before a peer that is away is tried again for its messages. */
export const TELL_AGAIN_FIRST_MS = 500;
/** The longest wait before a peer that is away is tried again for its messages. */
export const TELL_AGAIN_LAST_MS = 15_000;
/** How long to wait for another program to unlock the peer's database. */
export const STATE_LOCK_WAIT_MS = 3_000;
/** How long to wait for a secret when a flag names a pipe as its file. */
export const PIPE_WAIT_MS = 5_000;
/** The first wait before a write that failed on a full or read-only disk is tried again. */
export const WRITE_AGAIN_FIRST_MS = 500;
/** The longest wait before a write that failed on a full or read-only disk is tried again. */
export const WRITE_AGAIN_LAST_MS = 5_000;
/** Time in which a full disk is reported once, whatever else waits for room on it. */
export const FULL_DISK_NAMED_MS = 600_000;
