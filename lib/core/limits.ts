/**
 * The one list of bounds. Everything that comes from a network, and every wait, has its bound here; the name ends in the unit, the comment
 * gives the reason, and lib/README.md shows the table (made from this file by `deno task docs`, checked by a test).
 *
 * One line of comment above each constant: it becomes the table's last column.
 * @module
 */

// Lines and lists on the wire

/** One message. Holds a batch of some thousand files; bounds what a connection can make us buffer. */
export const LINE_BYTES_MAX = 256 * 1024;
/** One message of a connection before its HELLO, so that strangers cannot make us buffer more. */
export const HELLO_LINE_BYTES_MAX = 4 * 1024;
/** A file's name with its sub-folders: four components of the longest length file systems allow. */
export const NAME_BYTES_MAX = 1024;
/** A file's time, before and after 1970, in milliseconds: what a date of JavaScript holds, which is more than any file system does. */
export const TIME_MS_MAX = 8.64e15;
/** A peer's name: longer ones only break tables. */
export const PEER_NAME_BYTES_MAX = 64;
/** A host as text: the longest DNS name. */
export const HOST_BYTES_MAX = 255;
/** What is typed into a search. */
export const QUERY_BYTES_MAX = 512;
/** Words of a search that are looked up; the rest would only make it slower. */
export const QUERY_WORDS_MAX = 16;
/** Words of one name that are indexed, so that a hostile name costs no more than a long one. */
export const NAME_WORDS_MAX = 64;
/** A peer's certificate: all of ours are the same size. */
export const CERTIFICATE_BYTES_MAX = 512;
/** Text of a failure or news, for people to read. */
export const MESSAGE_BYTES_MAX = 1024;
/** Text of one message from person to person: some pages; longer texts are sent as files. */
export const TELL_BYTES_MAX = 4 * 1024;
/** Batches of a list that Redis gives in one reply: some hundred kilobytes, which keep it for a millisecond. */
export const REDIS_BATCHES_MAX = 2;
/** One of them, inflated: a thousand names of the longest kind, each character escaped. */
export const REDIS_BATCH_BYTES_MAX = 8 * 1024 ** 2;
/** Commands that wait for Redis at once. */
export const REDIS_COMMANDS_MAX = 20_000;
/** Notes of changes that Redis keeps for servers that are late; a server that is even later loads all entries again. */
export const REDIS_NEWS_MAX = 100_000;
/** Entries that a server loads from Redis at once. */
export const REDIS_LOADING_MAX = 16;
/** Changes of one peer that are kept while Redis is away. With more, the other servers load its whole list afterwards. */
export const REDIS_PENDING_MAX = 64;
/** Files in one UPDATE: small enough that applying one holds up nobody. */
export const BATCH_FILES_MAX = 1000;
/** Hits in one reply to SEARCH. */
export const HITS_MAX = 100;
/** How deep one can page into a search, since every page before has to be found again. */
export const SEARCH_OFFSET_MAX = 2000;
/** How far one can page through peers and holders. */
export const ROW_OFFSET_MAX = 1_000_000;
/** Peers that a number in a message counts at most, such as the holders of a hit. */
export const COUNTED_PEERS_MAX = 1_000_000;
/** Holders named with a hit; FIND gives the others. */
export const HIT_PEERS_MAX = 8;
/** Rows that one search of a person shows, whatever limit was asked for. */
export const SEARCH_ROWS_MAX = 20 * HITS_MAX;
/** Rows of the table shown last, whose numbers can be used; also the files of a peer and the peers of an index that are listed. */
export const TABLE_ROWS_MAX = 10_000;
/** Rows in one reply to PEERS, FIND or LIST. */
export const PAGE_ROWS_MAX = 500;
/** Piece digests in one reply to PIECES: a body of one mebibyte. */
export const PAGE_DIGESTS_MAX = 32 * 1024;
/** The largest file: its list of digests has to fit in memory. */
export const FILE_BYTES_MAX = 4 * 1024 ** 4;
/** The largest picture that peers show each other: it is held in memory. */
export const SHOW_BYTES_MAX = 32 * 1024 * 1024;
/** One datagram of a picture: fits into one packet of every common network, so that none is ever cut. */
export const DATAGRAM_BYTES_MAX = 1200;
/** Lines that make no sense before the connection is closed. */
export const MALFORMED_LINES_MAX = 8;
/** One request in a classroom dialect, whose JOIN carries the whole list: some thousand names. Its sender proves no key, and few such senders are served at once. */
export const DIALECT_REQUEST_BYTES_MAX = 256 * 1024;
/** An answer in a classroom dialect: its clients read so much once, and take that for all. */
export const DIALECT_ANSWER_BYTES_MAX = 1024;
/** An HTTP request's body: one registration. */
export const HTTP_BODY_BYTES_MAX = 4 * 1024;
/** An HTTP request's address: the longest search, with three characters for each of its bytes, and some room. */
export const URL_BYTES_MAX = 4 * 1024;

// What one index or peer holds

/** Files one peer may list at the index. */
export const FILES_PER_PEER_MAX = 250_000;
/** Characters of the names that one peer may list, in all: each word of them takes memory in the index, and 250,000 names are seldom longer. */
export const NAME_CHARACTERS_PER_PEER_MAX = 32_000_000;
/** Memory for the names of all lists together, as lib/index/local/list_room.ts estimates it: some 1.7 million names of common length, 120,000 of the longest. */
export const INDEX_LIST_BYTES_MAX = 800_000_000;
/** One address may hold so many times the memory that is still free for names: all but a ninth when it is alone. */
export const LIST_SHARE_OF_FREE = 8;
/** Downloads that one peer may announce at the index as partial copies. */
export const PARTIALS_PER_PEER_MAX = 1_000;
/** Addresses whose wrong guesses at the room key are remembered. */
export const GUESSING_ADDRESSES_MAX = 10_000;
/** Names that an index keeps for the keys that joined under them. */
export const NAMES_BOUND_MAX = 100_000;
/** Connections to one port that have not proven who they are, counted from the moment they are accepted. */
export const STRANGERS_MAX = 1_024;
/** The same at an index, to which thousands may come back within a second. */
export const INDEX_STRANGERS_MAX = 4_096;
/** Time that a connection has to prove who it is before it may lose its place to another one of its address. */
export const STRANGER_GRACE_MS = 1_000;
/** Time between two refusals in words; in between, connections beyond the bound are closed without a reply, so that a flood costs little. */
export const REFUSAL_EVERY_MS = 10;
/** Proofs of identity that are checked for one address in a second: each costs about a millisecond, and each is good for one join. */
export const PROOFS_PER_SECOND_MAX = 200;
/** Questions that an index answers one connection in a second; further ones wait. */
export const QUESTIONS_PER_SECOND_MAX = 200;
/** Addresses whose pace is remembered. */
export const PACED_ADDRESSES_MAX = 10_000;
/** Connections an index serves at once. */
export const INDEX_CONNECTIONS_MAX = 12_000;
/** Peers dialled back at once by an index; more wait for their turn. */
export const DIAL_BACKS_MAX = 64;
/** Time between two lines about the same peer's changing list, so that a large list is one line of the log. */
export const LISTED_PAUSE_MS = 1_000;
/** Files that one peer of a classroom dialect may list: a folder of homework, and nobody proves who lists it. */
export const DIALECT_FILES_MAX = 5_000;
/** Files of all peers of classroom dialects at one index together. */
export const DIALECT_FILES_IN_ALL_MAX = 200_000;
/** Names that are registered over HTTP at once. */
export const REGISTRATIONS_MAX = 10_000;
/** The same of one address, at one server: a lab's whole row on one machine. */
export const REGISTRATIONS_PER_ADDRESS_MAX = 64;
/** Time for which a name may be registered in one go, in seconds: a day, so that programs that never come back are dropped. */
export const REGISTRATION_SECONDS_MAX = 86_400;
/** The same, where the caller does not say it: a lesson. */
export const REGISTRATION_SECONDS = 3_600;
/** HTTP connections that are open at once. */
export const HTTP_CONNECTIONS_MAX = 1_000;
/** HTTP requests of one address that are answered at once; further ones are told to come back. */
export const HTTP_REQUESTS_PER_ADDRESS_MAX = 32;
/** HTTP requests that are answered at once, over all callers. */
export const HTTP_REQUESTS_MAX = 1_000;
/** HTTP requests that are answered for one address in a second; further ones wait. */
export const HTTP_REQUESTS_PER_SECOND_MAX = 100;
/** Peers of classroom dialects that an index lists. When all places are taken, the address with most peers gives one up. */
export const DIALECT_PEERS_MAX = 2_000;
/** Connections from other peers that a peer serves at once. */
export const PEER_CONNECTIONS_MAX = 256;
/** Bytes waiting for a slow reader before it is cut off. */
export const SEND_QUEUE_BYTES_MAX = 4 * 1024 * 1024;
/** A manifest: some hundred bytes for each file that a peer may list. */
export const MANIFEST_BYTES_MAX = 64 * 1024 ** 2;
/** Folders inside folders that are scanned. */
export const SCAN_DEPTH_MAX = 64;
/** Large uploads that run at once, if --slots does not say otherwise; more peers wait in line. */
export const UPLOAD_SLOTS = 8;
/** Small answers (files of a piece or less) that are sent at once, beside the large ones. */
export const SMALL_UPLOADS_MAX = 32;
/** Questions of consent that wait for an answer at once. */
export const QUESTIONS_OPEN_MAX = 100;
/** The same of one peer, so that one cannot fill the screen. */
export const QUESTIONS_PER_PEER_MAX = 8;
/** Answers of consent that are remembered, so that one file is not asked for twice. */
export const CONSENT_REMEMBERED_MAX = 10_000;
/** Pictures that arrive at once, each in memory. */
export const PICTURES_AT_ONCE_MAX = 4;
/** The same of one peer. */
export const PICTURES_PER_PEER_MAX = 2;
/** Pixels of a picture: more than cameras have, and what a terminal can still hold decoded. */
export const IMAGE_PIXELS_MAX = 2 ** 28;
/** Folders of an inbox that are named after their senders alone; the names of further ones hold the senders' keys. */
export const DRAWERS_KEPT_MAX = 10_000;
/** Datagrams of one picture that are under way at once: what 200 ms of a fast network hold. */
export const DATAGRAM_WINDOW_MAX = 4096;
/** Contents for which a peer remembers the peers that want them and the pieces that it gave away. */
export const DEMANDED_CONTENTS_MAX = 256;
/** Downloads that run at once; others wait for their turn. */
export const TRANSFERS_RUNNING_MAX = 8;
/** Peers from which one file is downloaded at once. Others take the place of those that give nothing. */
export const DOWNLOAD_SOURCES_MAX = 16;
/** Peers that one download knows as sources. */
export const DOWNLOAD_CANDIDATES_MAX = 1_000;
/** Peers that are remembered because they delivered something, so that they are asked first the next time. */
export const DELIVERERS_KEPT_MAX = 10_000;
/** Connections over which small files are fetched at once. */
export const SMALL_CONNECTIONS_MAX = 16;
/** Small files that are asked for on one connection before the first has come. */
export const SMALL_AHEAD = 32;
/** Files of one folder that are downloaded in one go. */
export const FOLDER_FILES_MAX = 250_000;
/** Contents downloaded to a place outside the folder whose paths are remembered. */
export const PLACED_REMEMBERED_MAX = 50_000;
/** Certificates of other peers that a peer keeps at hand. */
export const IDENTITIES_CACHED_MAX = 10_000;
/** What an inbox holds, if --quota does not say otherwise. */
export const INBOX_BYTES_MAX = 20 * 1024 ** 3;
/** Damaged databases that a peer sets aside in one run: a disk that damages each new one must not be filled with them. */
export const STATE_RENEWALS_MAX = 10;
/** Room that a peer with an inbox keeps free on its disk for what it remembers itself. */
export const DISK_RESERVE_BYTES = 8 * 1024 ** 2;
/** One sender takes at most one part in so many of an inbox, so that one cannot keep out all others. */
export const INBOX_PARTS = 2;
/** Files in an inbox. */
export const INBOX_FILES_MAX = 10_000;
/** The same of one sender, unfinished ones included. */
export const INBOX_FILES_PER_SENDER_MAX = 1_000;
/** Files that arrive in an inbox at once; others wait in line. */
export const INBOX_RUNNING_MAX = 8;
/** Bytes that are requested at a time from a peer that puts a file. The platform's TLS server reads ahead without end, so this bounds what waits in memory. */
export const PUT_SPAN_BYTES_MAX = 8 * 1024 ** 2;
/** Questions about a file one offers that wait for an answer at once: an honest peer asks one after the other. */
export const OFFER_QUESTIONS_MAX = 16;
/** The part of a peer's own limit that each of its upload slots has at least: about a piece a second. A lower limit has fewer slots. */
export const UPLOAD_SLOT_BYTES_PER_SECOND = 1_000_000;
/** What a receiver takes in a second, at least, to keep its upload slot while others wait. */
export const UPLOAD_BYTES_PER_SECOND_MIN = 500_000;
/** Uploads whose receivers were too slow for a slot and that finish a piece beside the slots. With more, the oldest is cut off. */
export const UPLOADS_ASIDE_MAX = 32;
/** Peers whose turns in the line for uploads are counted. */
export const UPLOAD_TURNS_KEPT_MAX = 10_000;
/** Transfers, running and ended, that a peer remembers. */
export const TRANSFERS_KEPT_MAX = 1000;
/** Messages that a peer takes from one other in a second; further ones wait. No person writes as fast, a script may. */
export const TELLS_PER_SECOND_MAX = 200;
/** Messages that wait for one peer to return. */
export const OUTBOX_PER_PEER_MAX = 2_000;
/** Messages that wait for anybody to return: forty mebibytes at most. */
export const OUTBOX_MAX = 10_000;
/** Peers that are told something at once; the messages for others wait for their turn. */
export const TELLING_MAX = 16;
/** Messages, received and sent, that a peer keeps; beyond that, the oldest of the sender with most messages are deleted first. */
export const MESSAGES_KEPT_MAX = 10_000;
/** Senders whose received messages are remembered, so that none is shown twice. */
export const TELLERS_KEPT_MAX = 10_000;
/** Times a message is sent again before its receiver counts as away. */
export const TELL_RESENDS_MAX = 3;

/** Lines of a log or of notes that are kept while they cannot be written; further ones are counted and dropped. */
export const LINES_HELD_MAX = 10_000;

// Waits

/** Another program to give up its lock on a peer's database. */
export const STATE_LOCK_WAIT_MS = 3_000;
/** After a full disk was named, what else waits for room there does not name it again: a person may have made room that nothing has noticed. */
export const FULL_DISK_NAMED_MS = 600_000;
/** Somebody to write into a pipe that a flag names as the file of a secret. */
export const PIPE_WAIT_MS = 5_000;
/** First wait before a write is tried again that failed, since a disk was full or could not be written. */
export const WRITE_AGAIN_FIRST_MS = 500;
/** Longest wait before such a write is tried again. */
export const WRITE_AGAIN_LAST_MS = 5_000;
/** Redis to answer one command. */
export const REDIS_WAIT_MS = 2_000;
/** Longest pause before Redis is tried again. */
export const REDIS_RECONNECT_MS_MAX = 500;
/** How often a server tells and asks Redis what has changed: so late does another server know. */
export const REDIS_NEWS_EVERY_MS = 100;
/** How long Redis takes a server for alive that it has not heard from. */
export const SERVER_LEASE_MS = 10_000;
/** How often a server renews its lease, and looks at those of the others. */
export const SERVER_LEASE_EVERY_MS = 3_000;
/** How long a server is missed before its peers are forgotten: when Redis comes back empty, all are missed until they have announced themselves. */
export const SERVER_MISSED_MS = 10_000;
/** A peer's session at another server to show that it is alive, when the peer joins here. */
export const REMOTE_PROBE_WAIT_MS = 1_500;
/** How long a name belongs to a key that does not join under it, where Redis remembers it. */
export const NAME_KEPT_MS = 30 * 24 * 3_600_000;
/** A list that is being written to Redis, before it is thrown away as unfinished. */
export const REDIS_REWRITE_MS_MAX = 120_000;
/** A TCP connection to be made. */
export const CONNECT_WAIT_MS = 5_000;
/** HELLO to arrive on a new connection. */
export const HELLO_WAIT_MS = 10_000;
/** PROVE to arrive after HELLO. */
export const PROVE_WAIT_MS = 5_000;
/** An answer to arrive. */
export const REPLY_WAIT_MS = 15_000;
/** A whole list to arrive page by page: the files of a peer, the files below a folder, the holders of a content. The limit of our own rate does not count. */
export const LIST_MS_MAX = 300_000;
/** The next byte of a body to arrive, and a written byte to be taken. */
export const BODY_WAIT_MS = 15_000;
/** An HTTP connection between two requests. Longer than Prometheus waits between two looks. */
export const HTTP_IDLE_MS_MAX = 75_000;
/** The head of an HTTP request to arrive, from its first byte. */
export const HTTP_HEAD_WAIT_MS = 10_000;
/** The whole body of an HTTP request to arrive. */
export const HTTP_BODY_WAIT_MS = 3_000;
/** Time that a dial-back has before it may be ended for another one. */
export const DIAL_BACK_GRACE_MS = 500;
/** How long a peer that joins waits to hear whether others reach it, before it goes on without. */
export const REACHED_WAIT_MS = 500;
/** The index's attempt to reach a peer that has joined. */
export const DIAL_BACK_WAIT_MS = 3_000;
/** A session that holds a wanted name to show that it is alive. */
export const PROBE_WAIT_MS = 2_000;
/** How often a peer tells the index that it is there. */
export const PING_EVERY_MS = 12_000;
/** Silence after which the index takes a session for dead: three pings missed. */
export const SILENCE_MS_MAX = 40_000;
/** A peer of a classroom dialect to ask the index for anything, or be forgotten; they connect only when they want something. */
export const DIALECT_SILENCE_MS_MAX = 30 * 60_000;
/** The rest of a request in a classroom dialect, once it has begun: a person may be typing it. */
export const DIALECT_REQUEST_WAIT_MS = 30_000;
/** Words without a line feed: silence after which they count as complete. */
export const DIALECT_QUIET_MS = 300;
/** Between an answer that announces a file and the file's bytes, so that a client reads them apart, also on a busy machine. */
export const DIALECT_HEADER_PAUSE_MS = 300;
/** A connection between peers that asks for nothing. */
export const PEER_IDLE_MS_MAX = 120_000;
/** What is left to do when a program is told to stop. */
export const CLOSE_WAIT_MS = 3_000;
/** Digests of a file that is being hashed: how long PIECES waits for news. */
export const PIECES_WAIT_MS = 1_000;
/** A person to answer a question of consent; no answer is a refusal. */
export const CONSENT_WAIT_MS = 60_000;
/** Time without anything new of a picture, after which both sides give up. */
export const SHOW_IDLE_MS_MAX = 10_000;
/** A picture to arrive, however slowly. */
export const SHOW_MS_MAX = 600_000;
/** A turn at an upload slot while others wait; it ends with the next piece, and its receiver asks again. */
export const UPLOAD_TURN_MS_MAX = 10_000;
/** How often a peer that waits in line is told its place, changed or not. */
export const QUEUED_EVERY_MS = 5_000;
/** How often the sender is told how much has arrived, if there is more than before. */
export const TAKEN_EVERY_MS = 250;
/** Pause before a second guess at the room key from the same address. */
export const GUESS_FIRST_MS = 250;
/** Longest pause between two guesses at the room key from the same address. */
export const GUESS_LAST_MS = 10_000;
/** Time after which an unfinished file that nobody has gone on with may be removed. */
export const UNFINISHED_KEPT_MS = 30 * 24 * 3_600_000;
/** Starts of the peer that have to find an unfinished file as the last one left it, before it is removed. */
export const UNFINISHED_KEPT_STARTS = 10;
/** Longest first wait of a peer that lost its index; chance takes it from zero on, so that all who lost it do not come to the others at once. */
export const RECONNECT_SPREAD_MS = 4_000;
/** Wait, doubled at each attempt, before an index is tried once more. */
export const RECONNECT_FIRST_MS = 500;
/** Longest wait before an index is tried once more. */
export const RECONNECT_LAST_MS = 15_000;
/** Times that a peer which comes back takes its name to be held by its own session at an index that died; then it is somebody else's. */
export const OWN_NAME_TAKEN_MAX = 3;
/** First wait before the holders of a file are tried again. */
export const RETRY_FIRST_MS = 250;
/** Longest wait before the holders of a file are tried again. */
export const RETRY_LAST_MS = 4_000;
/** Attempts without a piece at one holder of a file, before a download does without it. */
export const RETRIES_MAX = 6;
/** First wait before a transfer whose holders are all away is attempted again. */
export const ATTEMPT_FIRST_MS = 1_000;
/** Longest wait before a transfer whose holders are all away is attempted again. */
export const ATTEMPT_LAST_MS = 15_000;
/** Time without a new piece after which a download gives up, unless a source says that it has to wait for its turn. */
export const DOWNLOAD_IDLE_MS_MAX = 60_000;
/** The same, whatever sources say: an upload line that has not moved in that time never will. */
export const DOWNLOAD_WAIT_MS_MAX = 60 * 60_000;
/** First wait before a download asks the index again for holders of the file: others begin at the same time. */
export const FIND_AGAIN_FIRST_MS = 500;
/** Longest wait before a download asks the index again for holders of the file. */
export const FIND_AGAIN_LAST_MS = 5_000;
/** Damaged or unreadable files that are reported to the owner in one run. */
export const TROUBLES_TOLD_MAX = 100;
/** Holders of one content that are looked at to learn which sizes it is listed with. */
export const HOLDERS_LOOKED_AT_MAX = 2_000;
/** Peers that are asked at once to prove the size of a content that is listed with several. */
export const PROOFS_AT_ONCE = 16;
/** Beside them, peers that ask their owners for consent to a proof. */
export const PROOFS_ASKING_MAX = 256;
/** Time for one peer to prove the size of a content. */
export const PROVE_SIZE_MS = 10_000;
/** A message to be acknowledged, before it is sent again. */
export const TELL_WAIT_MS = 2_000;
/** The index to say whose name a message's sender has. Shorter than the sender waits. */
export const TELLER_NAME_WAIT_MS = 1_000;
/** A connection over which messages were sent, kept for the next one. Shorter than the other side keeps it. */
export const TELL_IDLE_MS = 30_000;
/** First wait before a peer that is away is tried again, for the messages that wait for it. */
export const TELL_AGAIN_FIRST_MS = 500;
/** Longest wait before a peer that is away is tried again, for the messages that wait for it. */
export const TELL_AGAIN_LAST_MS = 15_000;
