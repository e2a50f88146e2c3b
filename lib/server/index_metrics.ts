/**
 * What an index counts about itself, for `/metrics`. Called by index_server.ts, the HTTP side and server.ts.
 * @module
 */

import { DIALECTS } from "../core/dialect.ts";
import { type FailureCode, FAILURES } from "../core/failure.ts";
import { VERSION } from "../core/version.ts";
import type { SearchIndex } from "../index/search_index.ts";
import type { Traffic } from "../net/listener.ts";
import type { JournalEvent } from "./journal.ts";
import { Counters, exposition, type Family, Histogram, Histograms, single } from "./metrics.ts";

/** Upper ends of the buckets for requests, in seconds: a search takes tens of microseconds, a large UPDATE tenths of a second. */
const REQUEST_SECONDS = [5e-5, 1e-4, 2.5e-4, 5e-4, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];
/** The same for how late the event loop is. */
const DELAY_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

/** What an index server knows about itself when it is asked. */
export interface ServerState extends Traffic {
  /** Sessions that have joined here. */
  readonly joined: number;
}

/** The numbers of one index. */
export class IndexMetrics {
  readonly #requests: Histograms;
  readonly #http: Histograms;
  readonly #dialect = new Histograms("recess_dialect_request_seconds", "Time to answer a classmate's own program.", {
    label: "dialect",
    values: DIALECTS,
    bounds: REQUEST_SECONDS,
  });
  readonly #delay = new Histogram(DELAY_SECONDS);
  readonly #refusals = new Counters(
    "recess_refusals_total",
    "Requests that were refused or failed, over whatever they came, by the code of the failure.",
    "code",
    Object.keys(FAILURES),
  );
  readonly #events = { joined: 0, registered: 0, bug: 0 };

  /** `methods` are those of the wire, `operations` those of HTTP; what is neither counts as "other". */
  constructor(names: { readonly methods: Iterable<string>; readonly operations: Iterable<string> }) {
    this.#requests = new Histograms(
      "recess_request_seconds",
      "Time to answer a request of a peer, once its turn came.",
      {
        label: "method",
        values: names.methods,
        bounds: REQUEST_SECONDS,
      },
    );
    this.#http = new Histograms("recess_http_request_seconds", "Time to answer an HTTP request, once its turn came.", {
      label: "operation",
      values: names.operations,
      bounds: REQUEST_SECONDS,
    });
  }

  /** Counts a request of a peer. */
  answered(method: string, ms: number): void {
    this.#requests.observe(method, ms / 1000);
  }

  /** Counts a request of a classmate's own program. */
  answeredDialect(dialect: string, ms: number): void {
    this.#dialect.observe(dialect, ms / 1000);
  }

  /** Counts an HTTP request. */
  answeredHttp(operation: string, ms: number): void {
    this.#http.observe(operation, ms / 1000);
  }

  /** Counts a refusal. */
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

  /** Everything, as Prometheus reads it. */
  async exposition(index: SearchIndex, server: ServerState): Promise<string> {
    return exposition([
      ...await inIndex(index),
      ...ofServer(server),
      single("counter", "recess_joins_total", "Peers that joined.", this.#events.joined),
      single("counter", "recess_registrations_total", "Names registered over HTTP.", this.#events.registered),
      this.#requests.counts("recess_requests_total", "Requests of peers, by method."),
      this.#requests,
      this.#dialect.counts("recess_dialect_requests_total", "Requests of classmates' own programs, by dialect."),
      this.#dialect,
      this.#http.counts("recess_http_requests_total", "HTTP requests, by operation of /openapi.json."),
      this.#http,
      this.#refusals,
      single("counter", "recess_bugs_total", "Requests that failed by a fault of the index itself.", this.#events.bug),
      {
        name: "recess_event_loop_delay_seconds",
        type: "histogram",
        help: "How late a timer of the index was: all peers wait as long.",
        samples: () => this.#delay.samples(),
      },
      ...ofProcess(),
    ]);
  }
}

async function inIndex(index: SearchIndex): Promise<Family[]> {
  const { peers, files, bytes } = await index.counts();
  return [
    single("gauge", "recess_peers", "Peers that are here, registered names included.", peers),
    single("gauge", "recess_files", "Files that are listed.", files),
    single("gauge", "recess_listed_bytes", "Sum of the sizes of all files that are listed.", bytes),
    single(
      "gauge",
      "recess_index_current",
      "1 if answers are those of now, 0 if they may be old.",
      Number(index.isCurrent),
    ),
  ];
}

function ofServer({ joined, open, accepted, refused, bytesRead, bytesWritten }: ServerState): Family[] {
  return [
    single("gauge", "recess_sessions_joined", "Connections of peers that have joined at this server.", joined),
    single("gauge", "recess_connections_open", "Connections of peers that are open.", open),
    single("counter", "recess_connections_total", "Connections of peers that were served.", accepted),
    single("counter", "recess_connections_refused_total", "Connections of peers that were too many.", refused),
    single("counter", "recess_received_bytes_total", "Bytes from peers, before encryption.", bytesRead),
    single("counter", "recess_sent_bytes_total", "Bytes to peers, before encryption.", bytesWritten),
  ];
}

function ofProcess(): Family[] {
  const { rss, heapUsed } = Deno.memoryUsage();
  const about = { labels: [["version", VERSION], ["deno", Deno.version.deno]] as const, value: 1 };
  return [
    {
      name: "recess_build_info",
      type: "gauge",
      help: "Always 1; its labels say which version this is.",
      samples: () => [about],
    },
    single("gauge", "process_resident_memory_bytes", "Memory of the process.", rss),
    single("gauge", "recess_heap_used_bytes", "Memory of it that holds values.", heapUsed),
    single("gauge", "process_start_time_seconds", "When the process was started.", performance.timeOrigin / 1000),
  ];
}
