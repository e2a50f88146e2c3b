/**
 * Sizes, rates and durations as people write and read them. The flags of both programs and
 * everything that shows a number use them.
 * @module
 */

import { Failure } from "./failure.ts";

const POWERS = ["", "K", "M", "G", "T"];
const SIZE_REGEXP = /^(\d+(?:\.\d+)?)\s*(?:([KMGT])(i)?)?(B)?$/i;

/**
 * Reads a size in bytes: `500`, `64KB` and `1.5GB` in powers of 1000, `KiB`… in powers of 1024.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseSize } from "./quantity.ts";
 * assertEquals(parseSize("1.5GB"), 1_500_000_000);
 * assertEquals(parseSize("64 KiB"), 65_536);
 * ```
 *
 * @throws {Failure} "usage" when the text is no size.
 */
export function parseSize(text: string): number {
  const match = SIZE_REGEXP.exec(text.trim());
  const bytes = match === null ? NaN : Math.round(
    Number(match[1]) * (match[3] ? 1024 : 1000) ** POWERS.indexOf((match[2] ?? "").toUpperCase()),
  );
  if (!Number.isSafeInteger(bytes)) {
    throw new Failure("usage", `Cannot read "${text}" as a size`, {
      hint: "write it like 500, 64KB, 1.5GB or 16MiB",
    });
  }
  return bytes;
}

/**
 * Reads a rate in bytes a second: a size, with or without `/s`.
 *
 * @throws {Failure} "usage" when the text is no rate, or the rate is 0.
 */
export function parseRate(text: string): number {
  // A small b after a capital letter means bits: an eighth of what would be read.
  if (/[KMGT]i?b(?:it)?(?:\/s|ps)?$/.test(text.trim()) || /bits?(?:\/s)?$/i.test(text.trim())) {
    throw new Failure("usage", `Cannot use "${text}" as a rate: it means bits`, {
      hint: "write bytes, with a capital B: 10Mb/s is 1.25MB/s",
    });
  }
  const rate = parseSize(text.trim().replace(/\/s$/i, ""));
  if (rate === 0) throw new Failure("usage", `Cannot use "${text}" as a rate: it would never end`);
  return rate;
}

/**
 * A size for people, in powers of 1000 and three digits: `0 B`, `64.0 KB`, `1.50 GB`.
 */
export function formatSize(bytes: number): string {
  let power = 0;
  let value = bytes;
  while (value >= 999.5 && power < POWERS.length - 1) {
    value /= 1000;
    power += 1;
  }
  if (power === 0) return `${Math.round(value)} B`;
  return `${value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)} ${POWERS[power]}B`;
}

/** A rate for people: `112 MB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatSize(bytesPerSecond)}/s`;
}

/** A duration for people: `0.4 s`, `42 s`, `3 min 05 s`, `2 h 10 min`. */
export function formatDuration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${twoDigits(whole % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
}

/**
 * Each place in a number that a multiple of three digits follows. `Intl.NumberFormat` would cost
 * every program 15 ms at its start.
 */
const THOUSANDS_REGEXP = /\B(?=(?:\d{3})+$)/g;

/** A count with its noun: `1 file`, `12 files`, `1,204 files`. */
export function formatCount(count: number, noun: string): string {
  const plural = /(s|x|ch|sh)$/.test(noun) ? "es" : "s";
  return `${String(count).replace(THOUSANDS_REGEXP, ",")} ${noun}${count === 1 ? "" : plural}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
