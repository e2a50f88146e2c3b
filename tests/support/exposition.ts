/**
 * Reads the text format of Prometheus as strictly as `promtool check metrics` does, and more
 * strictly than Prometheus itself: what a scraper would forgive, or a dashboard show wrongly, fails
 * here.
 * @module
 */

import { assert, assertEquals } from "@std/assert";

/**
 * One family as it was read: its type, and its samples by name and labels as they stand in the
 * text.
 */
export interface ReadFamily {
  readonly type: string;
  readonly help: string;
  readonly samples: Map<string, number>;
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const SAMPLE_REGEXP = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`);
const LABEL_REGEXP = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,(?=[a-zA-Z_])|$)/y;
const VALUE_REGEXP = /^(?:[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?|\+Inf|-Inf|NaN)$/;

/**
 * Reads and checks a whole text.
 *
 * @throws {Error} When the text breaks a rule of the format.
 */
export function readExposition(text: string): Map<string, ReadFamily> {
  assert(text.endsWith("\n") && !text.includes("\r"), "every line ends with a line feed");
  const families = new Map<string, ReadFamily>();
  let current: { name: string; family: ReadFamily } | undefined;
  let help: { name: string; text: string } | undefined;
  for (const line of text.slice(0, -1).split("\n")) {
    const [, kind, name = "", rest = ""] = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`).exec(line) ?? [];
    if (kind === "HELP") {
      help = { name, text: rest };
    } else if (kind === "TYPE") {
      assertEquals(help?.name, name, "HELP comes before TYPE");
      assert(!families.has(name), `${name} comes once, all in one place`);
      assert(["counter", "gauge", "histogram"].includes(rest), line);
      current = { name, family: { type: rest, help: help?.text ?? "", samples: new Map() } };
      families.set(name, current.family);
    } else {
      assert(current !== undefined, `TYPE comes before ${line}`);
      readSample(line, current.name, current.family);
    }
  }
  for (const [name, family] of families) checkFamily(name, family);
  return families;
}

/**
 * The value of one sample, written as in the text: `recess_peers`,
 * `recess_requests_total{method="SEARCH"}`.
 */
export function valueOf(families: Map<string, ReadFamily>, sample: string): number {
  for (const { samples } of families.values()) {
    const value = samples.get(sample);
    if (value !== undefined) return value;
  }
  throw new Error(`There is no ${sample}`);
}

/**
 * Fails when a counter, or what a histogram has counted, is less than it was before, or is gone.
 */
export function checkMonotonic(before: Map<string, ReadFamily>, after: Map<string, ReadFamily>): void {
  for (const [name, { type, samples }] of before) {
    if (type === "gauge") continue;
    for (const [sample, value] of samples) {
      assert((after.get(name)?.samples.get(sample) ?? -1) >= value, `${sample} went back`);
    }
  }
}

function readSample(line: string, family: string, { type, samples }: ReadFamily): void {
  const [, name = "", labels = "", value = ""] = SAMPLE_REGEXP.exec(line) ?? [];
  const endings = type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
  assert(endings.some((ending) => name === family + ending), `"${line}" belongs to ${family}`);
  assert(VALUE_REGEXP.test(value), line);
  const read = readLabels(labels);
  assertEquals(new Set(read.map(([label]) => label)).size, read.length, line);
  assertEquals(name.endsWith("_bucket"), read.some(([label]) => label === "le"), line);
  const key = line.slice(0, line.lastIndexOf(" "));
  assert(!samples.has(key), `${key} comes once`);
  samples.set(key, Number(value.replace("Inf", "Infinity")));
}

/** Labels with their values, unescaped. */
export function readLabels(text: string): [name: string, value: string][] {
  const labels: [string, string][] = [];
  LABEL_REGEXP.lastIndex = 0;
  while (LABEL_REGEXP.lastIndex < text.length) {
    const match = LABEL_REGEXP.exec(text);
    assert(match !== null, `these are labels: ${text}`);
    const [, name = "", value = ""] = match;
    assert(!name.startsWith("__"), name);
    labels.push([name, value.replaceAll(/\\(.)/g, (_, each) => each === "n" ? "\n" : each)]);
  }
  return labels;
}

/** What `promtool` calls lint, and that histograms add up. */
function checkFamily(name: string, { type, help, samples }: ReadFamily): void {
  assert(help.trim() !== "" && samples.size > 0, `${name} has help and samples`);
  assertEquals(name.endsWith("_total"), type === "counter", `${name}: counters end in _total, and nothing else does`);
  assert(!/_(bucket|sum|count)$/.test(name) && !/(milliseconds|_ms|_kb|_minutes)/.test(name), name);
  assert(!name.includes("seconds") || /seconds(_total)?$/.test(name), `${name} ends in its unit`);
  assert(!name.includes("bytes") || /bytes(_total)?$/.test(name), `${name} ends in its unit`);
  if (type === "counter") assert(samples.values().every((value) => value >= 0), name);
  if (type === "histogram") checkHistogram(name, samples);
}

function checkHistogram(name: string, samples: ReadonlyMap<string, number>): void {
  const buckets = new Map<string, [end: number, count: number][]>();
  for (const [key, count] of samples) {
    if (!key.startsWith(`${name}_bucket`)) continue;
    const labels = readLabels(key.slice(name.length + "_bucket{".length, -1));
    const end = labels.find(([label]) => label === "le")?.[1] ?? "";
    const others = labels.filter(([label]) => label !== "le").map(([label, value]) => `${label}="${value}"`).join(",");
    const series = buckets.get(others) ?? [];
    series.push([Number(end.replace("+Inf", "Infinity")), count]);
    buckets.set(others, series);
  }
  assert(buckets.size > 0, `${name} has buckets`);
  for (const [labels, series] of buckets) {
    for (const [index, [end, count]] of series.entries()) {
      const [endBefore, countBefore] = series[index - 1] ?? [-Infinity, 0];
      assert(end > endBefore && count >= countBefore, `${name}{${labels}}: buckets hold all below them`);
    }
    const suffix = labels === "" ? "" : `{${labels}}`;
    assertEquals(series.at(-1), [Infinity, samples.get(`${name}_count${suffix}`) ?? NaN], `${name}: +Inf is the count`);
    assert(samples.has(`${name}_sum${suffix}`), `${name} has a sum`);
  }
}
