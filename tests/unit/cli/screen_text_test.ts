import { assertEquals } from "@std/assert";
import { screenText, usableColumns } from "../../../../lib/shell/screen/screen_text.ts";

Deno.test("screenText() lets line feeds and our own styles through, and nothing else that acts on a terminal", () => {
  assertEquals(screenText("\x1b[1ma\x1b[22m\nb"), "\x1b[1ma\x1b[22m\nb");
  const hostile = "a\x1b]0;t\x07\x1b[2J\x1b[31;1m\x1b[3131m\r\t\u009b\u202e";
  assertEquals(
    screenText(hostile),
    "a\\u{1b}]0;t\\u{7}\\u{1b}[2J\\u{1b}[31;1m\\u{1b}[3131m\\r\\t\\u{9b}\\u{202e}",
  );
});

Deno.test("usableColumns() is 80 where a terminal reports no width", () => {
  assertEquals([0, NaN, Infinity, -1, 1.5, 1, 200].map(usableColumns), [80, 80, 80, 80, 80, 1, 200]);
});
