/**
 * A section of the bench: what it measures, and with which scale. Called by bench.ts.
 * @module
 */

import type { BenchRow } from "./report.ts";

/** How much is measured. */
export interface Scale {
  /** Bytes of a large file. */
  readonly size: number;
  /** Rounds, whose median is shown. */
  readonly rounds: number;
  /** Names in the largest index. */
  readonly names: number;
}

/** One section, and one table of the page. */
export interface Section {
  readonly name: string;
  /**
   * For the page: what is measured, and what the reference is. `{size}` and `{names}` stand for
   * those of the scale.
   */
  readonly about: string;
  /** What differs from the usual scale with `--all`, so that the whole page does not take long. */
  readonly onPage?: Partial<Scale> | undefined;
  run(scale: Scale): Promise<BenchRow[]>;
}

/** What a section found. */
export interface SectionResult {
  readonly name: string;
  readonly about: string;
  readonly scale: Scale;
  readonly seconds: number;
  readonly rows: readonly BenchRow[];
  /** Why it failed; then there are no rows. */
  readonly failure?: string | undefined;
}

/** Runs a section. When it fails, the reason is in the result. */
export async function runSection(section: Section, scale: Scale): Promise<SectionResult> {
  const { name } = section;
  const about = section.about.replaceAll("{size}", inUnits(scale.size))
    .replaceAll("{names}", scale.names.toLocaleString("en-US"));
  const start = performance.now();
  const result = (rows: readonly BenchRow[], failure?: string): SectionResult => {
    return { name, about, scale, seconds: (performance.now() - start) / 1000, rows, failure };
  };
  try {
    return result(await section.run(scale));
  } catch (thrown) {
    return result([], reasonOf(thrown));
  }
}

/** The reason of a failure: the first one, then the one that came while things were ended. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof SuppressedError) return `${reasonOf(thrown.suppressed)} (then: ${reasonOf(thrown.error)})`;
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** A size in the units in which sizes of this bench are whole numbers. */
function inUnits(bytes: number): string {
  return bytes % 2 ** 30 === 0 ? `${bytes / 2 ** 30} GiB` : `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
