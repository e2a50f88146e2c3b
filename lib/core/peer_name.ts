/**
 * Which names peers may have, and when two names are the same. Names that only look different must
 * not belong to two peers: nobody can imitate a classmate by a capital, an accent, an invisible
 * character or a space at the end.
 * @module
 */

import { Failure } from "./failure.ts";
import { PEER_NAME_BYTES_MAX } from "./limits.ts";
import { isPrintable, printable } from "./printable.ts";
import { type Random, randomBelow } from "./random.ts";
import { cutToUtf8, isLongerInUtf8 } from "./utf8.ts";
import { fold, words } from "./words.ts";

/**
 * Characters that show nothing or a gap. Most are those that Unicode lets programs ignore, without
 * the sign behind an emoji, which comparisons ignore anyway. Three more count as signs but are
 * drawn without ink.
 */
const BLANK_REGEXP = /(?!\ufe0f)\p{Default_Ignorable_Code_Point}|[\u2800\ufffc\u{1d159}]/gu;

/** The name that is shown for a peer whose name is not known. */
export const UNKNOWN_NAME = "somebody";

/**
 * Checks a name.
 *
 * @returns The name as it is stored and shown: composed (NFC) and trimmed.
 * @throws {Failure} "bad-name" when it is too long, has a character that cannot be shown, or has
 * neither letter nor digit.
 */
export function checkPeerName(name: string): string {
  const tidy = name.normalize("NFC").trim().replace(/\s+/gu, " ");
  const shown = printable(name);
  if (isLongerInUtf8(tidy, PEER_NAME_BYTES_MAX)) {
    throw new Failure("bad-name", `Cannot use "${shown}" as a name: it is longer than ${PEER_NAME_BYTES_MAX} bytes`);
  }
  if (!isPrintable(name) || name.search(BLANK_REGEXP) !== -1) {
    throw new Failure("bad-name", `Cannot use "${shown}" as a name: it holds characters that cannot be shown`);
  }
  if (words(tidy).length === 0) {
    throw new Failure("bad-name", `Cannot use "${shown}" as a name: it has no letter or digit`);
  }
  return tidy;
}

/** Letters that look like a Latin one, in small or in capital form, by the Latin one. */
const LOOKALIKES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    a: "аαɑ",
    b: "вβ",
    c: "сϲ",
    d: "ԁ",
    e: "еε",
    g: "ɡց",
    h: "нһηհ",
    i: "іιıɩ",
    j: "јϳ",
    k: "кκ",
    l: "ӏ",
    m: "мμ",
    n: "νո",
    o: "оοօ",
    p: "рρ",
    q: "ԛ",
    s: "ѕ",
    t: "тτ",
    u: "ս",
    v: "ѵ",
    w: "ԝ",
    x: "хχ",
    y: "уυ",
    z: "ζ",
  }).flatMap(([latin, others]) => [...others].map((other) => [other, latin] as const)),
);

/**
 * Equal for names that count as the same: they differ only in case, accents, spaces, or letters of
 * other alphabets that look alike.
 */
export function peerNameKey(name: string): string {
  const folded = fold(name);
  // Most names are plain ASCII, and a key is made for every hit that is shown.
  if (/^(?:[\x21-\x7e]+ )*[\x21-\x7e]*$/.test(folded) && !folded.endsWith(" ")) return folded;
  const latin = Array.from(folded, (letter) => LOOKALIKES.get(letter) ?? letter).join("");
  return latin.replace(/\p{Cf}/gu, "").replace(BLANK_REGEXP, "").replace(/\s+/gu, " ").trim();
}

const INDIC = ["Devanagari", "Bengali", "Gujarati", "Gurmukhi", "Tamil", "Telugu", "Kannada", "Malayalam", "Sinhala"]
  .map((script) => `\\p{sc=${script}}`).join("");
/**
 * Scripts that one word of an honest name can mix: those of one row. In the first row, Latin comes
 * in addition.
 */
const SCRIPTS: readonly RegExp[] = [
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Bopomofo}]/u,
  /\p{sc=Latin}/u,
  /\p{sc=Cyrillic}/u,
  /\p{sc=Greek}/u,
  /\p{sc=Armenian}/u,
  /\p{sc=Georgian}/u,
  /\p{sc=Cherokee}/u,
  /\p{sc=Hebrew}/u,
  /[\p{sc=Arabic}\p{sc=Syriac}\p{sc=Thaana}]/u,
  new RegExp(`[${INDIC}]`, "u"),
  /[\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u,
  /[\p{sc=Ethiopic}\p{sc=Coptic}\p{sc=Lisu}\p{sc=Tifinagh}\p{sc=Vai}]/u,
];

/**
 * A peer's name for people. A name with a word that mixes alphabets is marked, since no honest name
 * has one. The text is not made printable here.
 */
export function shownPeerName(name: string): string {
  return mixesScripts(name) ? `${name} (mixed alphabets)` : name;
}

function mixesScripts(name: string): boolean {
  return (name.match(/[\p{L}\p{M}]+/gu) ?? []).some((word) => {
    const found = SCRIPTS.filter((script) => script.test(word));
    const [first, second] = found;
    const isEastAsian = found.length === 2 && first === SCRIPTS[0] && second === SCRIPTS[1];
    return found.length > 1 && !isEastAsian;
  });
}

/**
 * Numbers that are tried in order, for a room of machines that all have the same name. After them,
 * any number is tried, in case somebody has taken them all.
 */
const NUMBERS_IN_ORDER = 100;
const NUMBERS = 1_000_000_000;

/** A name like `name` that is free according to `isTaken`: `ana` → `ana-2`. */
export async function freePeerName(
  name: string,
  isTaken: (key: string) => boolean | Promise<boolean>,
  random: Random = Math.random,
): Promise<string> {
  for (let number = 2;; number = number < NUMBERS_IN_ORDER ? number + 1 : randomBelow(random, NUMBERS)) {
    const ending = `-${number}`;
    const stem = cutToUtf8(name, PEER_NAME_BYTES_MAX - ending.length);
    if (!await isTaken(peerNameKey(stem + ending))) return stem + ending;
  }
}
