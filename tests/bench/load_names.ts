/**
 * Names of files and what is searched, for load on an index: words as names have them, some
 * frequent, most rare.
 * @module
 */

import { type Random, randomBelow, randomOf } from "../../lib/core/random.ts";
import type { IndexedFile } from "../../lib/protocol/shapes.ts";
import { seededRandom } from "../support/seeded_random.ts";

const WORDS_COUNT = 5_000;

/** One list for all processes. */
const VOCABULARY = (() => {
  const random = seededRandom(7);
  return Array.from({ length: WORDS_COUNT }, () => {
    return Array.from({ length: 3 + randomBelow(random, 8) }, () => String.fromCharCode(97 + randomBelow(random, 26)))
      .join("");
  });
})();

/**
 * The files of one peer: four words, a number and a type each, every one with a content of its own.
 */
export function loadFiles(peer: number, count: number): IndexedFile[] {
  const random = seededRandom(peer + 1);
  const part = (): string => randomBelow(random, 2 ** 32).toString(16).padStart(8, "0");
  return Array.from({ length: count }, (_, number) => ({
    name: nameOf(random, peer * count + number),
    size: randomBelow(random, 1e9),
    root: Array.from({ length: 8 }, part).join(""),
  }));
}

/** Two words. */
export function loadQuery(random: Random): string {
  return `${word(random)} ${word(random)}`;
}

function nameOf(random: Random, number: number): string {
  const type = randomOf(random, ["mp4", "pdf", "txt", "zip"]);
  return `${word(random)}/${word(random)} ${word(random)} ${word(random)} ${number}.${type}`;
}

function word(random: Random): string {
  return VOCABULARY[Math.floor(random() ** 3 * WORDS_COUNT)] ?? "";
}
