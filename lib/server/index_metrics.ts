/**
 * The numbers of an index, for `/metrics`. Called by index_server.ts, http/index_http.ts and
 * server.ts.
 * @module
 */

import { DIALECTS } from "../core/dialect.ts";
import { type FailureCode, FAILURES } from "../core/failure.ts";
import { VERSION } from "../core/version.ts";
import type { SearchIndex } from "../index/search_index.ts";
import type { Traffic } from "../net/listener.ts";
import type { JournalEvent } from "./journal.ts";
import { Counters, exposition, type Family, Histogram, Histograms, single } from "./metrics.ts";

/**
 * Upper ends of the buckets for requests, in seconds. A search takes tens of microseconds, a large
 * UPDATE tenths of a second.
 */
const REQUEST_SECONDS = [5e-5, 1e-4, 2.5e-4, 5e-4, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];
/** Upper ends of the buckets for the delay of the event loop, in seconds. */
const DELAY_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

/** The state of an index server. */
export interface ServerState extends Traffic {
  /** Joined sessions of this server. */
  readonly joined: number;
}

/** The numbers of one index. */
export class IndexMetrics {
  readonly #requests: Histograms;
  readonly #http: Histograms;
  readonly #dialect = new Histograms(
    "recess_dialect_request_seconds",
    "Time to answer a program in a classroom dialect.",
    {
      label: "dialect",
      values: DIALECTS,
      bounds: REQUEST_SECONDS,
    },
  );
  readonly #delay = new Histogram(DELAY_SECONDS);
  readonly #refusals = new Counters(
    "recess_refusals_total",
    "Requests that failed or were rejected, over any protocol, by the code of the failure.",
    "code",
    Object.keys(FAILURES),
  );
  readonly #events = { joined: 0, registered: 0, bug: 0 };

  /**
   * @param names Methods of the protocol and operations of HTTP. Any other name counts as "other".
   */
  constructor(names: { readonly methods: Iterable<string>; readonly operations: Iterable<string> }) {
    this.#requests = new Histograms(
      "recess_request_seconds",
      "Time to answer a request of a peer, from the end of its wait for the pace.",
      {
        label: "method",
        values: names.methods,
        bounds: REQUEST_SECONDS,
      },
    );
    this.#http = new Histograms(
      "recess_http_request_seconds",
      "Time to answer an HTTP request, from the end of its wait for the pace.",
      {
        label: "operation",
        values: names.operations,
        bounds: REQUEST_SECONDS,
      },
    );
  }

  /** Counts a request of a peer. */
  answered(method: string, ms: number): void {
    this.#requests.observe(method, ms / 1000);
  }

  /** Counts a request in a classroom dialect. */
  answeredDialect(dialect: string, ms: number): void {
    this.#dialect.observe(dialect, ms / 1000);
  }

  /** Counts an HTTP request. */
  answeredHttp(operation: string, ms: number): void {
    this.#http.observe(operation, ms / 1000);
  }

  /** Counts a request that failed or was rejected. */
  refused(code: FailureCode): void {
    this.#refusals.add(code);
  }

  /** Counts how late the event loop was. */
  delayed(ms: number): void {
    this.#delay.observe(ms / 1000);
  }

  /** Counts an event of the journal. */
  note({ event }: JournalEvent): void {
    if (event === "joined" || event === "registered" || event === "bug") this.#events[event] += 1;
  }

  /** All numbers in the format of Prometheus. */
  async exposition(index: SearchIndex, server: ServerState): Promise<string> {
    return exposition([
      ...await inIndex(index),
      ...ofServer(server),
      single("counter", "recess_joins_total", "Peers that joined.", this.#events.joined),
      single("counter", "recess_registrations_total", "Names registered over HTTP.", this.#events.registered),
      this.#requests.counts("recess_requests_total", "Requests of peers, by method."),
      this.#requests,
      this.#dialect.counts("recess_dialect_requests_total", "Requests in classroom dialects, by dialect."),
      this.#dialect,
      this.#http.counts("recess_http_requests_total", "HTTP requests, by operation of /openapi.json."),
      this.#http,
      this.#refusals,
      single("counter", "recess_bugs_total", "Requests that failed because of a bug in the index.", this.#events.bug),
      {
        name: "recess_event_loop_delay_seconds",
        type: "histogram",
        help: "How late a timer of the index was. All peers wait for that time.",
        samples: () => this.#delay.samples(),
      },
      ...ofProcess(),
    ]);
  }
}

async function inIndex(index: SearchIndex): Promise<Family[]> {
  const { peers, files, bytes } = await index.counts();
  return [
    single("gauge", "recess_peers", "Connected peers and registered names.", peers),
    single("gauge", "recess_files", "Listed files.", files),
    single("gauge", "recess_listed_bytes", "Sum of the sizes of all listed files.", bytes),
    single(
      "gauge",
      "recess_index_current",
      "1 if answers are current, 0 if they may be out of date.",
      Number(index.isCurrent),
    ),
  ];
}

function ofServer({ joined, open, accepted, refused, bytesRead, bytesWritten }: ServerState): Family[] {
  return [
    single("gauge", "recess_sessions_joined", "Connections of peers that have joined this server.", joined),
    single("gauge", "recess_connections_open", "Open connections of peers.", open),
    single("counter", "recess_connections_total", "Accepted connections of peers.", accepted),
    single(
      "counter",
      "recess_connections_refused_total",
      "Refused connections of peers: all places were taken.",
      refused,
    ),
    single("counter", "recess_received_bytes_total", "Bytes from peers, without encryption.", bytesRead),
    single("counter", "recess_sent_bytes_total", "Bytes to peers, without encryption.", bytesWritten),
  ];
}

function ofProcess(): Family[] {
  const { rss, heapUsed } = Deno.memoryUsage();
  const about = { labels: [["version", VERSION], ["deno", Deno.version.deno]] as const, value: 1 };
  return [
    {
      name: "recess_build_info",
      type: "gauge",
      help: "Always 1. The labels are the versions of Recess and Deno.",
      samples: () => [about],
    },
    single("gauge", "process_resident_memory_bytes", "Resident memory of the process.", rss),
    single("gauge", "recess_heap_used_bytes", "Memory of the JavaScript heap in use.", heapUsed),
    single("gauge", "process_start_time_seconds", "Start of the process, in Unix time.", performance.timeOrigin / 1000),
  ];
}
