import { assert, assertEquals } from "@std/assert";
import { countsOf, type Measured, measureEnglish, type Rule } from "../support/english.ts";
import { documentPassages, sourcePassages } from "../support/english_passages.ts";

/** Rules that no place may break. "strings" are only counted, and the others have rates. */
const FORBIDDEN = ["phrases", "over 100", "over 120", "missing"] as const satisfies readonly Rule[];
const WHO_PER_THOUSAND_MAX = { comments: 1, documents: 2 };
const SEMICOLONS_PER_HUNDRED_MAX = 12;

Deno.test("comments and documents keep the rules of plain English", async () => {
  const all = await measureEnglish();
  const documents = all.filter(({ isDocument }) => isDocument);
  const sources = all.filter(({ isDocument }) => !isDocument);
  const offences = all.flatMap((each) => FORBIDDEN.flatMap((rule) => beyond(each, rule, 0)));
  for (const each of documents) {
    offences.push(...beyond(each, "semicolons", each.sentences * SEMICOLONS_PER_HUNDRED_MAX / 100));
  }
  offences.push(...whoBeyond(sources, WHO_PER_THOUSAND_MAX.comments));
  offences.push(...whoBeyond(documents, WHO_PER_THOUSAND_MAX.documents));
  assertEquals(offences, []);
});

/** The offences of a place against a rule, when there are more than allowed. */
function beyond(measured: Measured, rule: Rule, allowed: number): string[] {
  return countsOf(measured)[rule] <= allowed ? [] : linesOf([measured], rule);
}

function whoBeyond(places: readonly Measured[], perThousand: number): string[] {
  const words = places.reduce((sum, each) => sum + each.words, 0);
  const count = places.reduce((sum, each) => sum + countsOf(each).who, 0);
  return count <= words * perThousand / 1000 ? [] : linesOf(places, "who");
}

function linesOf(places: readonly Measured[], rule: Rule): string[] {
  return places.flatMap(({ offences }) => offences)
    .filter((each) => each.rule === rule)
    .map(({ file, line, what }) => `${file}:${line}: ${rule}: ${what}`);
}

Deno.test("sourcePassages() tells comments from strings, templates and regular expressions", () => {
  const source = [
    'const a = "no // comment"; // one',
    "const b = `t ${ /* two */ f({ c: `u` }) } v`;",
    "const d = /[/*]\\/\\/ no/.test(a); // three `code`",
    "/**",
    " * Four.",
    " * ```ts",
    " * code",
    " * ```",
    " */",
  ].join("\n");
  const comments = sourcePassages(source).filter(({ kind }) => kind === "comment");
  assertEquals(comments.map(({ text }) => text.replaceAll(/\s+/g, " ").trim()), ["one", "two", "three", "Four."]);
  assertEquals(comments.map(({ line, isAlone }) => [line, isAlone]), [[1, false], [2, false], [3, false], [4, true]]);
  const strings = sourcePassages(source).filter(({ kind }) => kind === "string");
  assertEquals(strings.map(({ text }) => text), ["no // comment", "t ", "u", " v"]);
});

Deno.test("documentPassages() finds paragraphs, items and cells, without code and addresses", () => {
  const document = "# A\n\nOne `code`\ntwo.\n- [item](a.md)\n\n| x | y |\n| - | - |\n```\ncode\n```\n";
  const passages = documentPassages(document);
  assertEquals(passages.map(({ line }) => line), [1, 3, 5, 7, 7]);
  assert(passages.every(({ text }) => !text.includes("code") && !text.includes("a.md")));
});
