import { assertEquals, assertThrows } from "@std/assert";
import { Failure } from "../../../lib/core/failure.ts";
import { quoteWord, splitLine } from "../../../lib/core/line.ts";

Deno.test("splitLine() keeps together what is quoted", () => {
  const cases: [string, string[]][] = [
    ["", []],
    ["   ", []],
    ["search aula mp4", ["search", "aula", "mp4"]],
    ['get "aula 1.mp4"', ["get", "aula 1.mp4"]],
    ["get 'aula 1.mp4'", ["get", "aula 1.mp4"]],
    ["get it's", ["get", "it's"]],
    ["get aula\\ 1.mp4", ["get", "aula 1.mp4"]],
    ['get "say \\"hi\\""', ["get", 'say "hi"']],
    ["get C:\\films\\a.mp4", ["get", "C:\\films\\a.mp4"]],
    ['get ""', ["get", ""]],
    ['a"b c"d', ["ab cd"]],
    ["学习\t🎓", ["学习", "🎓"]],
  ];
  for (const [line, words] of cases) assertEquals(splitLine(line), words, line);
});

Deno.test("splitLine() leaves text as it was typed, but for quotes around all of it", () => {
  const cases: [string, string[]][] = [
    ["tell ana hello", ["tell", "ana", "hello"]],
    ['  tell   ana   it\'s  -5 --now \\ "late"  ', ["tell", "ana", 'it\'s  -5 --now \\ "late"']],
    ['tell "Ana Maria" say "a b', ["tell", "Ana Maria", 'say "a b']],
    ['tell ana "hello  there"', ["tell", "ana", "hello  there"]],
    ["tell ana 'tis the season'", ["tell", "ana", "tis the season"]],
    ['tell ana "a" and "b"', ["tell", "ana", '"a" and "b"']],
    ["tell ana", ["tell", "ana"]],
  ];
  for (const [line, words] of cases) assertEquals(splitLine(line, 2), words, line);
});

Deno.test("splitLine() says when a quote is not closed", () => {
  for (const line of ['get "aula', "get 'aula"]) {
    assertEquals(assertThrows(() => splitLine(line), Failure).code, "usage");
  }
});

Deno.test("quoteWord() is the inverse of splitLine()", () => {
  for (const word of ["a", "a b", 'a"b', "a'b", "a\\b", "", "学 习", "\\", '"']) {
    assertEquals(splitLine(`get ${quoteWord(word)} end`), ["get", word, "end"]);
  }
});
