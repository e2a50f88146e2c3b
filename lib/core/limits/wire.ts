/**
 * Bounds of messages: what one may hold, in our own protocol, in classroom dialects and over HTTP.
 * @module
 */
/**
 * The longest message: it holds some thousand files, and a connection can make us buffer no more.
 */
export const LINE_BYTES_MAX = 256 * 1024;
/**
 * The longest message of a connection before its HELLO, so that strangers cannot make us buffer
 * more.
 */
export const HELLO_LINE_BYTES_MAX = 4 * 1024;
/** The longest name of a request, a reply or news. */
export const METHOD_BYTES_MAX = 32;
/** The longest name of a program and its version in a HELLO. */
export const SOFTWARE_BYTES_MAX = 64;
/** The longest code of a failure. */
export const CODE_BYTES_MAX = 64;
/** The longest text of a failure or of news: it is for people to read. */
export const MESSAGE_BYTES_MAX = 1024;
/** Messages that make no sense before a connection is closed. */
export const MALFORMED_LINES_MAX = 8;
/**
 * The longest name of a file with its folders: four components of the longest length that file
 * systems allow.
 */
export const NAME_BYTES_MAX = 1024;
/** The longest component of a file's name that a disk stores. */
export const COMPONENT_BYTES_MAX = 255;
/**
 * The latest time of a file, in milliseconds before or after 1970: what a date of JavaScript holds.
 */
export const TIME_MS_MAX = 8.64e15;
/** The largest file: its list of digests has to fit in memory. */
export const FILE_BYTES_MAX = 4 * 1024 ** 4;
/** The longest name of a peer: a longer one only breaks tables. */
export const PEER_NAME_BYTES_MAX = 64;
/** The longest name of a host: that of the DNS. */
export const HOST_BYTES_MAX = 255;
/** The largest certificate of a peer: all of ours have the same size. */
export const CERTIFICATE_BYTES_MAX = 512;
/** The longest text of a search. */
export const QUERY_BYTES_MAX = 512;
/** Words of a search that are looked up: more would only make it slower. */
export const QUERY_WORDS_MAX = 16;
/** Hits in one reply to SEARCH. */
export const HITS_MAX = 100;
/** Peers that a hit names: FIND gives the others. */
export const HIT_PEERS_MAX = 8;
/** Peers that a number in a message counts at most, such as the holders of a hit. */
export const COUNTED_PEERS_MAX = 1_000_000;
/** Hits of a search that can be skipped: the index has to find every skipped one again. */
export const SEARCH_OFFSET_MAX = 2000;
/** Rows of PEERS and FIND that can be skipped. */
export const ROW_OFFSET_MAX = 1_000_000;
/** Names in one reply to FOLDER: an index takes some milliseconds for as many. */
export const FOLDER_NAMES_MAX = 250;
/** Rows in one reply to PEERS, FIND, FOLDER or LIST. */
export const PAGE_ROWS_MAX = 500;
/** Files in one DOWNLOAD_MANY. */
export const MANY_FILES_MAX = 64;
/** Bytes in one reply to DOWNLOAD_MANY that make it long enough: no further file is added. */
export const MANY_BODY_BYTES = 256 * 1024;
/** Digests in one reply to PIECES: a body of one mebibyte. */
export const PAGE_DIGESTS_MAX = 32 * 1024;
/** Files in one UPDATE: the index applies one so quickly that nobody else waits. */
export const BATCH_FILES_MAX = 1000;
/** The longest message from person to person: some pages. A longer text is shared as a file. */
export const TELL_BYTES_MAX = 4 * 1024;
/** The largest picture that peers show each other: both hold it in memory. */
export const SHOW_BYTES_MAX = 32 * 1024 * 1024;
/** The largest datagram of a picture: it fits into one packet of every common network. */
export const DATAGRAM_BYTES_MAX = 1200;
/**
 * The longest request in a classroom dialect: its JOIN carries a whole list of some thousand names.
 */
export const DIALECT_REQUEST_BYTES_MAX = 256 * 1024;
/**
 * The longest answer in a classroom dialect: its clients read so many bytes once and take them for
 * all.
 */
export const DIALECT_ANSWER_BYTES_MAX = 1024;
/** Hits in the answer to a person with nc or telnet. */
export const DIALECT_LINES_MAX = 20;
/** The largest body of an HTTP request: one registration. */
export const HTTP_BODY_BYTES_MAX = 4 * 1024;
/** The longest address in an HTTP request: the longest search, escaped, and some room. */
export const URL_BYTES_MAX = 4 * 1024;
