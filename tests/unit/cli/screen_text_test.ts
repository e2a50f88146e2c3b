import { assertEquals } from "@std/assert";
import { screenText, usableColumns } from "../../../lib/cli/screen_text.ts";

Deno.test("screenText() escapes everything that acts on a terminal, except line feeds and our styles", () => {
  assertEquals(screenText("\x1b[1ma\x1b[22m\nb"), "\x1b[1ma\x1b[22m\nb");
  const hostile = "a\x1b]0;t\x07\x1b[2J\x1b[31;1m\x1b[3131m\r\t\u009b\u202e";
  assertEquals(
    screenText(hostile),
    "a\\u{1b}]0;t\\u{7}\\u{1b}[2J\\u{1b}[31;1m\\u{1b}[3131m\\r\\t\\u{9b}\\u{202e}",
  );
});

Deno.test("usableColumns() is 80 when a terminal reports no width", () => {
  assertEquals([0, NaN, Infinity, -1, 1.5, 1, 200].map(usableColumns), [80, 80, 80, 80, 80, 1, 200]);
});
