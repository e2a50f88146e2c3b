import { assertEquals } from "@std/assert";
import { textWidth } from "../../../lib/cli/style.ts";
import { wrapHelp, wrapWords } from "../../../lib/cli/wrap.ts";

Deno.test("wrapWords() breaks between words, by columns, and only lines that do not fit", () => {
  assertEquals(wrapWords("short", 20), "short");
  assertEquals(wrapWords("sees the names of what you share", 18), "sees the names of\nwhat you share");
  assertEquals(wrapWords("a  table   row", 14), "a  table   row");
  assertEquals(wrapWords("one\ntwo three four", 9), "one\ntwo three\nfour");
  assertEquals(wrapWords("学习 学习 学习", 9), "学习 学习\n学习");
  assertEquals(wrapWords("anExtraordinarilyLongWord and more", 10), "anExtraordinarilyLongWord\nand more");
});

Deno.test("wrapWords() loses nothing, whatever the width", () => {
  const text = "Everybody at the index 10.0.0.1:1099 sees the names of what you share";
  for (let columns = "10.0.0.1:1099".length; columns < 80; columns++) {
    const wrapped = wrapWords(text, columns);
    assertEquals(wrapped.replaceAll("\n", " "), text);
    for (const row of wrapped.split("\n")) assertEquals(textWidth(row) <= columns, true, row);
  }
});

Deno.test("wrapHelp() continues below the last column, or indented when that is too narrow", () => {
  const line = "  --port PORT  the port for other peers to call";
  assertEquals(wrapHelp(line, 80), line);
  assertEquals(wrapHelp(line, 40), "  --port PORT  the port for other peers\n               to call");
  assertEquals(wrapHelp(line, 30), "  --port PORT\n      the port for other peers\n      to call");
  assertEquals(wrapHelp("a sentence that is long", 12), "    a\n    sentence\n    that is\n    long");
  assertEquals(wrapHelp("a sentence that is rather long", 24), "a sentence that is\nrather long");
});
