/**
 * Counters, gauges and histograms, in the text format of Prometheus, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). Called by index_metrics.ts.
 *
 * Counting is only an addition: every series exists from the start. So nothing is allocated, and no
 * label comes from the network.
 * @module
 */

/** One number of a family, with its labels. */
export interface Sample {
  /** Follows the name of the family: `_bucket`, `_sum` and `_count` of a histogram. */
  readonly ending?: string | undefined;
  readonly labels?: readonly (readonly [name: string, value: string])[] | undefined;
  readonly value: number;
}

/** Numbers of one name and meaning. */
export interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  samples(): Iterable<Sample>;
}

/** The label of everything that has no series of its own. */
const OTHER = "other";

/** A family of one number that is known already: a gauge, or a counter that is kept elsewhere. */
export function single(type: "counter" | "gauge", name: string, help: string, value: number): Family {
  return { name, type, help, samples: () => [{ value }] };
}

/** A counter for each value of a label. */
export class Counters implements Family {
  readonly type = "counter";
  readonly name: string;
  readonly help: string;
  readonly #label: string;
  readonly #counts: Map<string, { value: number }>;
  readonly #other = { value: 0 };

  constructor(name: string, help: string, label: string, values: Iterable<string>) {
    this.name = name;
    this.help = help;
    this.#label = label;
    this.#counts = new Map(Array.from(values, (value) => [value, { value: 0 }]));
    this.#counts.set(OTHER, this.#other);
  }

  /** Adds one. */
  add(label: string): void {
    (this.#counts.get(label) ?? this.#other).value += 1;
  }

  samples(): Iterable<Sample> {
    return this.#counts.entries().map(([label, { value }]) => ({ labels: [[this.#label, label]], value }));
  }
}

/** A distribution of values, such as durations. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  /** @param bounds Upper ends of the buckets, in rising order. A last bucket has no end. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /** Adds a value. */
  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.#bounds.length && value > (this.#bounds[bucket] ?? 0)) bucket += 1;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += value;
  }

  /** How many values were added. */
  get count(): number {
    return this.#counts.reduce((sum, each) => sum + each, 0);
  }

  /** The buckets, each with all values below its end, then the sum and the number of values. */
  *samples(labels: Required<Sample>["labels"] = []): Generator<Sample> {
    let below = 0;
    for (const [index, count] of this.#counts.entries()) {
      below += count;
      const end = this.#bounds[index] ?? Infinity;
      yield { ending: "_bucket", labels: [...labels, ["le", numberText(end)]], value: below };
    }
    yield { ending: "_sum", labels, value: this.#sum };
    yield { ending: "_count", labels, value: below };
  }
}

/** A histogram for each value of a label. */
export class Histograms implements Family {
  readonly type = "histogram";
  readonly name: string;
  readonly help: string;
  readonly #label: string;
  readonly #byValue: Map<string, Histogram>;
  readonly #other: Histogram;

  constructor(
    name: string,
    help: string,
    options: { label: string; values: Iterable<string>; bounds: readonly number[] },
  ) {
    this.name = name;
    this.help = help;
    this.#label = options.label;
    this.#byValue = new Map(Array.from(options.values, (value) => [value, new Histogram(options.bounds)]));
    this.#other = new Histogram(options.bounds);
    this.#byValue.set(OTHER, this.#other);
  }

  /** Adds a value. */
  observe(label: string, value: number): void {
    (this.#byValue.get(label) ?? this.#other).observe(value);
  }

  *samples(): Generator<Sample> {
    for (const [value, histogram] of this.#byValue) yield* histogram.samples([[this.#label, value]]);
  }

  /** The number of values of each label, as a family of counters. */
  counts(name: string, help: string): Family {
    const samples = (): Iterable<Sample> => {
      return this.#byValue.entries().map(([value, { count }]) => ({ labels: [[this.#label, value]], value: count }));
    };
    return { name, type: "counter", help, samples };
  }
}

/** Writes families in the format of Prometheus. */
export function exposition(families: Iterable<Family>): string {
  const lines: string[] = [];
  for (const family of families) {
    const { name, type, help } = family;
    lines.push(`# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`, `# TYPE ${name} ${type}`);
    for (const { ending = "", labels = [], value } of family.samples()) {
      const pairs = labels.map(([label, text]) => `${label}="${escaped(text)}"`).join(",");
      lines.push(`${name}${ending}${pairs === "" ? "" : `{${pairs}}`} ${numberText(value)}`);
    }
  }
  return lines.map((line) => `${line}\n`).join("");
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function numberText(value: number): string {
  return Number.isFinite(value) ? String(value) : Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}
