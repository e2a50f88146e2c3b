import { assert, assertEquals, assertThrows } from "@std/assert";
import { Failure } from "../../../../lib/core/failure.ts";
import { numberedName, receivedName } from "../../../../lib/store/files/received_name.ts";

const REFUSED: [name: string, why: string][] = [
  ["", "empty"],
  ["..", "parent"],
  ["../evil", "traversal"],
  ["a/../../evil", "traversal inside"],
  ["a/..", "parent at the end"],
  ["./a", "dot"],
  ["a/./b", "dot inside"],
  ["a//b", "empty part"],
  ["a/", "no name at the end"],
  ["/etc/passwd", "absolute"],
  ["//server/share", "UNC with slashes"],
  ["\\\\server\\share\\x", "UNC"],
  ["\\evil", "absolute on Windows"],
  ["..\\..\\evil", "traversal on Windows, hidden once it is made storable"],
  ["C:\\evil", "drive"],
  ["c:/evil", "drive with a slash"],
  ["a\0b", "NUL"],
  [".ssh/authorized_keys", "hidden folder"],
  [".bashrc", "hidden file"],
  [" .bashrc", "hidden behind a space"],
  ["a/.recess/identity.pem", "our own state"],
  [".recess", "our own state"],
  [". . .", "dots and spaces"],
  ["   ", "spaces"],
  [Array(100).fill("a").join("/"), "too deep"],
  ["a".repeat(1025), "too long"],
  ["inbox/../evil", "traversal behind the inbox"],
  ["inbox/", "nothing behind the inbox"],
  ["...a", "hidden, with more dots"],
];

Deno.test("receivedName() refuses what would leave the folder or hide in it", () => {
  for (const [name, why] of REFUSED) {
    assertEquals(assertThrows(() => receivedName(name, "linux"), Failure).code, "bad-name", why);
  }
});

const STORED: [name: string, stored: string, onWindows?: string][] = [
  ["aula.mp4", "aula.mp4"],
  ["videos/aula 1.mp4", "videos/aula 1.mp4"],
  ["çãé 学习 🎓.mp4", "çãé 学习 🎓.mp4"],
  ["e\u0301.txt", "é.txt"],
  ["Aula 1: intro.mp4", "Aula 1_ intro.mp4"],
  ["Q: answers.txt", "Q_ answers.txt"],
  ["c:evil", "c_evil"],
  ["file.txt:stream", "file.txt_stream"],
  ["RECESS~1", "RECESS_1"],
  ["RECESS~1/identity.pem", "RECESS_1/identity.pem"],
  ["PROGRA~12.TXT", "PROGRA_12.TXT"],
  ["a~1.c", "a_1.c"],
  ["notes.txt~", "notes.txt~"],
  ["approximately~1", "approximately~1"],
  ["a\\b.txt", "a_b.txt"],
  ["new\nline.txt", "new_line.txt"],
  ["esc\u001b[31m.txt", "esc_[31m.txt"],
  ["exe\u202egpj.txt", "exe_gpj.txt"],
  ["trailing.", "trailing_"],
  ["trailing. . ", "trailing___"],
  ["folder./a", "folder_/a"],
  [" leading", "leading"],
  ["con", "_con"],
  ["CON.txt", "_CON.txt"],
  ["com1", "_com1"],
  ["lpt³.tar.gz", "_lpt³.tar.gz"],
  ["nul .txt", "_nul .txt"],
  ["console.txt", "console.txt"],
  ['what? "quoted" <a|b>*.txt', 'what? "quoted" <a|b>*.txt', "what_ _quoted_ _a_b__.txt"],
  ["👨‍👩‍👧.png", "👨‍👩‍👧.png"],
  ["．．/evil", "．．/evil"],
];

Deno.test("receivedName() makes other names storable everywhere", () => {
  for (const [name, stored, onWindows = stored] of STORED) {
    assertEquals(receivedName(name, "linux"), stored, name);
    assertEquals(receivedName(name, "windows"), onWindows, name);
    assertEquals(receivedName(stored, "linux"), stored, `${name}, again`);
  }
});

Deno.test("receivedName() keeps downloads out of the inbox", () => {
  const cases = [
    ["inbox/ana/film.mp4", "ana/film.mp4"],
    ["Inbox/INBOX/film.mp4", "film.mp4"],
    ["inbox", "_inbox"],
    ["inbox/inbox", "_inbox"],
    [" inbox/film.mp4", "_inbox/film.mp4"],
    ["work/inbox/film.mp4", "work/inbox/film.mp4"],
    ["inboxes/film.mp4", "inboxes/film.mp4"],
  ];
  for (const [name = "", stored] of cases) assertEquals(receivedName(name, "linux"), stored);
});

Deno.test("receivedName() keeps every component short enough to be stored, and its ending", () => {
  const long = `${"ã".repeat(125)}long.mp4`;
  const stored = receivedName(long, "linux");
  assert(new TextEncoder().encode(stored).length <= 255);
  assert(stored.endsWith(".mp4"));
  assertEquals(receivedName("a".repeat(255), "linux"), "a".repeat(255));
  const two = receivedName("x".repeat(300) + "/" + "y".repeat(300) + ".txt", "linux");
  assertEquals(two.split("/").map((component) => component.length), [255, 255]);
});

Deno.test("numberedName() counts in the same folder and stays storable", () => {
  assertEquals(numberedName("aula.mp4", 1), "(1) aula.mp4");
  assertEquals(numberedName("videos/aula.mp4", 12), "videos/(12) aula.mp4");
  const longest = "a".repeat(251) + ".mp4";
  assertEquals(numberedName(longest, 3).length, 255);
  assert(numberedName(longest, 3).endsWith(".mp4"));
});
