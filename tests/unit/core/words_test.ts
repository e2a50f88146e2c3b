import { assert, assertEquals } from "@std/assert";
import { NAME_BYTES_MAX } from "../../../lib/core/limits.ts";
import { fold, words } from "../../../lib/core/words.ts";

Deno.test("fold() removes case, accents and compatibility forms", () => {
  for (
    const [text, folded] of [["ÇÃÉ", "cae"], ["Straße", "strasse"], ["ﬁn", "fin"], ["Ｉnês", "ines"], ["İ", "i"], [
      "Σς",
      "σσ",
    ]]
  ) {
    assertEquals(fold(text ?? ""), folded);
  }
});

Deno.test("words() splits at punctuation and spaces, and between characters of scripts without spaces", () => {
  const cases: [string, string[]][] = [
    ["", []],
    [" .-_/", []],
    ["aula1.mp4", ["aula1", "mp4"]],
    ["a_b-c(d)", ["a", "b", "c", "d"]],
    ["app_v1.2.3 V10 mov1 v", ["app", "v", "1", "2", "3", "v", "10", "mov1", "v"]],
    ["édition v2", ["edition", "v", "2"]],
    ["学习abc学", ["学", "习", "abc", "学"]],
    ["🎓x🎓", ["🎓", "x", "🎓"]],
    ['\'; DROP "TABLE" *', ["drop", "table"]],
  ];
  for (const [text, cut] of cases) assertEquals(words(text), cut, text);
});

Deno.test("fold() cuts a text whose compatibility forms make it longer than the longest name", () => {
  assert(fold("\uFDFA".repeat(NAME_BYTES_MAX / 3)).length <= NAME_BYTES_MAX);
  for (const [character, folded] of [["\u1ebf", "e"], ["\u00df", "ss"], ["\u5b66", "\u5b66"], ["A", "a"]] as const) {
    const count = Math.floor(NAME_BYTES_MAX / new TextEncoder().encode(character).length);
    assertEquals(fold(character.repeat(count)), folded.repeat(count));
  }
});
