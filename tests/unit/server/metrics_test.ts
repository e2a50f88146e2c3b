import { assertEquals, assertThrows } from "@std/assert";
import { LocalIndex } from "../../../lib/index/local/local_index.ts";
import { watchEventLoop } from "../../../lib/server/event_loop.ts";
import { HTTP_ROUTES } from "../../../lib/server/http/routes.ts";
import { IndexMetrics } from "../../../lib/server/index_metrics.ts";
import { Counters, exposition, Histogram, Histograms, single } from "../../../lib/server/metrics.ts";
import { SESSION_ROUTES } from "../../../lib/server/session_routes.ts";
import { checkMonotonic, readExposition, readLabels, valueOf } from "../../support/exposition.ts";
import { eventually } from "../../support/wait.ts";

const STATE = { joined: 2, open: 3, accepted: 9, refused: 1, bytesRead: 400, bytesWritten: 500 };

function makeMetrics(): IndexMetrics {
  return new IndexMetrics({ methods: SESSION_ROUTES.keys(), operations: HTTP_ROUTES.map((each) => each.operation) });
}

Deno.test("exposition() writes counters, gauges and histograms in the format of Prometheus", () => {
  const counters = new Counters("a_total", "Some.", "code", ["x"]);
  counters.add("x");
  counters.add("x");
  counters.add("unforeseen");
  const histograms = new Histograms("b_seconds", "How long.", { label: "method", values: ["M"], bounds: [0.1, 1] });
  for (const value of [0.05, 0.1, 0.5, 7]) histograms.observe("M", value);
  assertEquals(
    exposition([single("gauge", "c", "Back\\slash\nline.", NaN), counters, histograms]),
    `# HELP c Back\\\\slash\\nline.
# TYPE c gauge
c NaN
# HELP a_total Some.
# TYPE a_total counter
a_total{code="x"} 2
a_total{code="other"} 1
# HELP b_seconds How long.
# TYPE b_seconds histogram
b_seconds_bucket{method="M",le="0.1"} 2
b_seconds_bucket{method="M",le="1"} 3
b_seconds_bucket{method="M",le="+Inf"} 4
b_seconds_sum{method="M"} 7.65
b_seconds_count{method="M"} 4
b_seconds_bucket{method="other",le="0.1"} 0
b_seconds_bucket{method="other",le="1"} 0
b_seconds_bucket{method="other",le="+Inf"} 0
b_seconds_sum{method="other"} 0
b_seconds_count{method="other"} 0
`,
  );
});

Deno.test("exposition() escapes labels so that a strict reader reads them back", () => {
  const odd = 'quote " back \\ line\nend';
  const text = exposition([{
    name: "odd",
    type: "gauge",
    help: "Odd.",
    samples: () => [{ labels: [["what", odd]], value: 1e21 }],
  }]);
  const [[sample = ""] = []] = [...readExposition(text).get("odd")?.samples ?? []];
  assertEquals(readLabels(sample.slice("odd{".length, -1)), [["what", odd]]);
});

Deno.test("the strict reader of metrics rejects malformed text", () => {
  const good = exposition([new Counters("a_total", "Some.", "code", ["x"])]);
  readExposition(good);
  const histogram = new Histogram([1]);
  histogram.observe(2);
  const buckets = exposition([{ name: "h", type: "histogram", help: "H.", samples: () => histogram.samples() }]);
  readExposition(buckets);
  const wrong = [
    good.slice(0, -1),
    good + good,
    good.replaceAll("a_total", "a"),
    good.replace("# HELP a_total Some.\n", ""),
    good.replace(/# TYPE.*\n/, ""),
    good.replace('code="other"', 'code="x"'),
    good.replace('"x"', '"x'),
    good.replace('"x"} 0', '"x"} zero'),
    buckets.replace("+Inf", "0.5"),
    buckets.replace("h_count 1", "h_count 2"),
    buckets.replace('le="1"} 0', 'le="1"} 2'),
    buckets.replace(/h_sum.*\n/, ""),
  ];
  for (const each of wrong) assertThrows(() => readExposition(each), Error);
});

Deno.test("the metrics of an index are well-formed, before and after requests, and never fall", async () => {
  await using index = new LocalIndex();
  const metrics = makeMetrics();
  const before = readExposition(await metrics.exposition(index, STATE));
  metrics.answered("SEARCH", 0.2);
  metrics.answered("'; DROP", 1);
  metrics.answeredDialect("json", 3);
  metrics.answeredHttp("search", 3);
  metrics.refused("busy");
  metrics.delayed(30);
  metrics.note({ event: "registered", peer: "ana", from: { host: "10.0.0.5", port: 1 }, seconds: 5 });
  const text = await metrics.exposition(index, { ...STATE, bytesRead: 401 });
  const after = readExposition(text);
  checkMonotonic(before, after);
  assertThrows(() => checkMonotonic(after, before), Error);
  const expected: [string, number][] = [
    ["recess_peers", 0],
    ["recess_index_current", 1],
    ["recess_sessions_joined", 2],
    ["recess_connections_refused_total", 1],
    ["recess_received_bytes_total", 401],
    ['recess_requests_total{method="SEARCH"}', 1],
    ['recess_requests_total{method="other"}', 1],
    ['recess_request_seconds_bucket{method="SEARCH",le="0.0001"}', 0],
    ['recess_request_seconds_bucket{method="SEARCH",le="0.00025"}', 1],
    ['recess_dialect_requests_total{dialect="json"}', 1],
    ['recess_http_requests_total{operation="search"}', 1],
    ['recess_refusals_total{code="busy"}', 1],
    ["recess_event_loop_delay_seconds_count", 1],
    ["recess_registrations_total", 1],
  ];
  for (const [sample, value] of expected) assertEquals(valueOf(after, sample), value, sample);
  assertEquals(text.includes("DROP"), false);
});

Deno.test("watchEventLoop() measures how long the event loop was blocked", async () => {
  const late: number[] = [];
  using _watch = watchEventLoop((ms) => late.push(ms));
  await eventually("a first measurement", () => late.length > 0);
  const end = performance.now() + 300;
  while (performance.now() < end);
  await eventually("the delay", () => late.some((ms) => ms > 200));
});
