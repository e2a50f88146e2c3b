import { assert, assertEquals } from "@std/assert";
import { fold } from "../../../lib/core/words.ts";
import { COMMANDS } from "../../../lib/shell/commands/commands.ts";
import { complete, completing, type Completion, type Vocabulary } from "../../../lib/shell/complete.ts";

const ROOM: Vocabulary = {
  files: ["Aula 1.mp4", "aula2.mp4", "A film about peers.mp4", "week 1/notas.txt"],
  peers: ["Ana", "rui"],
  own: ["mine.txt", "notes/a b.txt"],
  paths: ["mine.txt", "/home/ana/", "/home/bia's/"],
  transfers: ["3", "12"],
};

function tab(line: string, vocabulary = ROOM): Completion & { typed: string } {
  const what = completing(line);
  return { ...complete(what, vocabulary), typed: what.typed };
}

Deno.test("complete() replaces the typed text by the only matching name, quoted when needed", () => {
  const cases: [line: string, typed: string, insert: string][] = [
    ["sea", "sea", "search "],
    ["get aula2", "aula2", "aula2.mp4 "],
    ['get "aula 1', '"aula 1', '"Aula 1.mp4" '],
    ["get aula\\ 1", "aula\\ 1", '"Aula 1.mp4" '],
    ["get A fi", "A fi", '"A film about peers.mp4" '],
    ["get film", "film", '"A film about peers.mp4" '],
    ["GET peers abo", "peers abo", '"A film about peers.mp4" '],
    ["search nota", "nota", '"week 1/notas.txt" '],
    ["ls a", "a", "Ana "],
    ["get aula2.mp4 --from r", "r", "rui "],
    ["get aula2.mp4 --co", "--co", "--compress "],
    ["help tra", "tra", "transfers "],
    ["put mi", "mi", "mine.txt "],
    ["put mine.txt a", "a", "Ana "],
    ["put /home/a", "/home/a", "/home/ana/"],
    ["put /home/b", "/home/b", "\"/home/bia's/"],
    ["rm notes/", "notes/", '"notes/a b.txt" '],
    ["show rui mi", "mi", "mine.txt "],
    ["cancel 1", "1", "12 "],
  ];
  for (const [line, typed, insert] of cases) assertEquals(tab(line), { typed, insert, choices: [] }, line);
});

Deno.test("complete() inserts the common beginning of several names, or offers them as choices", () => {
  assertEquals(tab("get au"), { typed: "au", insert: "Aula", choices: [] }, "as the first one writes it");
  assertEquals(tab("get a").insert, undefined);
  assertEquals(tab("get a").choices, ["Aula 1.mp4", "aula2.mp4", "A film about peers.mp4"]);
  const spaced = { files: ["it is 1.txt", "it is 2.txt"] };
  assertEquals(tab("get it", spaced).insert, '"it is ');
  assertEquals(tab('get "i', spaced).insert, '"it is ');
  assertEquals(tab('get "it is ', spaced).choices, spaced.files);
  for (const line of ["nothing x", "quit x", "get zzz", "cancel zzz"]) {
    const what = completing(line);
    assertEquals(complete(what, ROOM), { insert: undefined, choices: [] }, line);
  }
  assertEquals(tab("").choices.length, COMMANDS.length + 1);
});

Deno.test("complete() inserts only text that begins with the typed text", () => {
  const parts = ["a", "A", "á", "film", " ", '"', "'", "\\", "学", "1", "/", "."];
  let seed = 7;
  const pick = (): string => parts[seed = (seed * 48271) % 2147483647, seed % parts.length] ?? "";
  for (let round = 0; round < 3000; round++) {
    const files = Array.from({ length: 1 + round % 4 }, () => Array.from({ length: 6 }, pick).join(""));
    const typed = Array.from({ length: 1 + round % 3 }, pick).join("");
    const { insert } = tab(`get ${typed}`, { files });
    const [first] = files;
    if (insert === undefined || files.length === 1 || first === undefined) continue;
    const unquoted = insert.trimStart().replace(/^"/, "").replace(/\\(.)/g, "$1");
    const plain = completing(`get ${typed}`).word;
    const isWhole = files.some((name) => unquoted.startsWith(name));
    assert(isWhole || fold(unquoted).startsWith(fold(plain).trimStart()), JSON.stringify({ typed, files, insert }));
  }
});

Deno.test("complete() offers no name that cannot be printed", () => {
  const hostile = ["\x1b]0;owned\x07a", "a\x1b]52;c;eA==\x07", "a\u009b2Jb", "a\u202eb", "a\nquit"];
  assertEquals(tab("get a", { files: hostile }), { typed: "a", insert: undefined, choices: [] });
  assertEquals(tab("get a", { files: [...hostile, "abc"] }).insert, "abc ");
  assertEquals(tab("ls ", { peers: hostile }).choices, []);
});
