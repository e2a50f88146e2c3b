import { assert, assertEquals } from "@std/assert";
import { cutMiddle, padText, textWidth } from "../../../lib/cli/style.ts";
import { renderTable } from "../../../lib/cli/table.ts";

const PLAIN = (text: string): string => text;

Deno.test("textWidth() counts columns, not characters", () => {
  for (
    const [text, width] of [
      ["abc", 3],
      ["学习", 4],
      ["🎓", 2],
      ["👨‍👩‍👧", 2],
      ["e\u0301", 1],
      ["🇧🇷", 2],
      ["한글".normalize("NFD"), 4],
      ["می\u200cخواهم", 7],
      ["", 0],
    ] as const
  ) {
    assertEquals(textWidth(text), width, text);
  }
});

Deno.test("cutMiddle() keeps both ends and cuts no character in half", () => {
  assertEquals(cutMiddle("short", 9), "short");
  assertEquals(cutMiddle("a very long name.mp4", 11), "a ver…e.mp4");
  assertEquals(cutMiddle("学习资料学习资料", 7), "学习…料");
  for (const text of ["a very long name.mp4", "学习资料学习资料.mp4", "👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧", "e\u0301".repeat(20)]) {
    for (let columns = 0; columns < 20; columns++) {
      const cut = cutMiddle(text, columns);
      assert(textWidth(cut) <= columns, `${cut} in ${columns}`);
      assert(cut.isWellFormed());
    }
  }
});

Deno.test("padText() adds spaces on either side", () => {
  assertEquals([padText("学", 4), padText("学", 4, "right"), padText("long", 2)], ["学  ", "  学", "long"]);
});

const COLUMNS = [
  { title: "#", align: "right" },
  { title: "name", flexible: true },
  { title: "size", align: "right" },
  { title: "who", flexible: true },
] as const;

Deno.test("renderTable() aligns columns, wide characters included", () => {
  const rows = [["1", "aula.mp4", "1.50 GB", "ana"], ["12", "学习 🎓.mp4", "9 B", "rui, eva"]];
  assertEquals(
    renderTable(COLUMNS, rows, { columns: 80, style: PLAIN }),
    [
      " #  name            size  who",
      " 1  aula.mp4     1.50 GB  ana",
      "12  学习 🎓.mp4      9 B  rui, eva",
    ].join("\n"),
  );
});

Deno.test("renderTable() fits every terminal with room for its fixed columns, and shortens the widest first", () => {
  const name = "a long name of a lecture about distributed systems.mp4";
  const rows = [["1", name, "1.50 GB", "ana, rui, eva, joa"]];
  for (const columns of [60, 50, 40, 35]) {
    const lines = renderTable(COLUMNS, rows, { columns, style: PLAIN }).split("\n");
    assert(lines.every((line) => textWidth(line) <= columns), lines.join("\n"));
    assert(lines[1]?.includes("1.50 GB"));
  }
  const [, at60] = renderTable(COLUMNS, rows, { columns: 60, style: PLAIN }).split("\n");
  assert(at60?.endsWith("ana, rui, eva, joa"), at60);
});

Deno.test("renderTable() escapes cells for a terminal, and shortens nothing in a pipe", () => {
  const rows = [["1", "evil\u001b[2J\nname", "1 B", "\u202eana"]];
  const table = renderTable(COLUMNS, rows, { columns: Infinity, style: PLAIN });
  assertEquals(table.split("\n").length, 2);
  assert(table.includes("evil\\u{1b}[2J\\nname") && table.includes("\\u{202e}ana"));
  const long = "x".repeat(500);
  assert(renderTable(COLUMNS, [["1", long, "1 B", ""]], { columns: Infinity, style: PLAIN }).includes(long));
});

Deno.test("renderTable() narrows a column that is flexible last only after the others", () => {
  const table = [{ title: "name", flexible: true }, { title: "size" }, {
    title: "state",
    flexible: "last",
    wraps: true,
  }] as const;
  const rows = [["a long name of a lecture.mp4", "1.50 GB", "running from ana"]];
  const at = (columns: number): string[] => renderTable(table, rows, { columns, style: PLAIN }).split("\n").slice(1);
  assertEquals(at(42), [
    "a long …ure.mp4  1.50 GB  running from ana",
  ]);
  assertEquals(at(34), ["a lon…e.mp4  1.50 GB  running from", "                      ana"]);
});

Deno.test("renderTable() shows the whole of a text in a column that wraps", () => {
  const table = [{ title: "from" }, { title: "text", flexible: true, wraps: true }, { title: "state" }];
  const plain = { columns: 30, style: (text: string) => text };
  assertEquals(
    renderTable(table, [["ana", "please stop using the printer today", "received"]], plain),
    [
      "from  text            state",
      "ana   please stop     received",
      "      using the",
      "      printer today",
    ].join("\n"),
  );
  const rows = renderTable(table, [["ana", "x".repeat(40), "received"]], plain).split("\n").slice(1);
  assertEquals(rows.map((row) => row.slice(6, 20).trim()).join(""), "x".repeat(40));
});
