/**
 * What the shell writes to its terminal, byte by byte.
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { withComponent } from "../support/components.ts";
import { PEER_FLAGS, PROJECT, type RunningIndex, startIndex, startPeer } from "../support/programs.ts";
import { Pty } from "../support/pty.ts";
import { TempFolder } from "../support/temp.ts";

const ptyTest = withComponent("script", ["--version"]);

/** Names of files that a member may share: each acts on a terminal that is given it as it is. */
const HOSTILE = [
  "aa title \x1b]0;owned\x07.txt",
  "aa clipboard \x1b]52;c;b3duZWQ=\x07.txt",
  "aa clear \x1b[2J\x1b[H.txt",
  "aa c1 \u009b2J\u009d0;owned\u009c.txt",
  "aa bidi \u202etxt.exe",
  "aa line\r\nquit\t.txt",
  "one alone \x1b]0;owned\x07\x1b[2J.txt",
];

const ESCAPE = "\x1b";
/**
 * What follows the escape character in the codes that the shell and its line editor write: styles,
 * moving by a count, clearing to the end, asking the terminal for its name.
 */
const OWN_CODE_REGEXP = /^\[(?:\d*[ABCDGJK]|\d+m|>q|c)/;
/**
 * Control characters, and those that turn the direction of text. Not line ends, nor the Tab, which
 * may be an echo of the one that was typed.
 */
const CONTROL_REGEXP = /(?![\t\n\r])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu;

/** What is written beside text and the shell's own codes. */
function foreignControls(text: string): string[] {
  const [before = "", ...parts] = text.split(ESCAPE);
  const rest = parts.map((part) => OWN_CODE_REGEXP.test(part) ? part.replace(OWN_CODE_REGEXP, "") : ESCAPE + part);
  return [before, ...rest].join("").match(CONTROL_REGEXP) ?? [];
}

function peerCommand(index: RunningIndex, folder: string): string {
  const words = [Deno.execPath(), ...PEER_FLAGS, "peer.ts", folder, "--name", "rui", "--images", "off"];
  return `cd '${PROJECT}'; ${[...words, "--index", `127.0.0.1:${index.port}`].map((word) => `'${word}'`).join(" ")}`;
}

ptyTest("Tab writes no control characters of hostile names", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  // Different contents, since a search shows one name of each.
  const names = [...HOSTILE, "bb plain one.txt", "bb plain two.txt"];
  for (const [index, name] of names.entries()) await temp.file(`ana/${name}`, 10 + index);
  await using _ana = await startPeer({ folder: temp.at("ana"), index, name: "ana" });
  await using pty = new Pty(peerCommand(index, temp.at("rui")), { columns: 100 });
  await pty.sees(/recess> /);
  for (const typed of ["get aa", "get one", "search aa ti", "get ", "get bb"]) {
    const from = pty.written.length;
    await pty.type(typed);
    await pty.showsLast(typed, from);
    for (const key of ["\t", "\t", "\x15"]) {
      await pty.type(key);
      // The line editor takes a Tab that comes together with other characters for pasted text.
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    await pty.type("nonsense\r");
    const text = await pty.sees(/There is no command/, from);
    assertEquals(foreignControls(text), [], JSON.stringify(text));
  }
  const from = pty.written.length;
  await pty.type("get bb");
  await pty.showsLast("get bb", from);
  await pty.type("\t");
  await pty.sees(/get "bb plain /, from);
  await pty.type("\t");
  assertMatch(await pty.sees(/bb plain two/, from), /bb plain one/);
  // Names that are shown rather than completed are written as text.
  await pty.type("\x15search aa\r");
  assertMatch(await pty.sees(/aa title .*owned/s, from), /\\u\{1b\}\]0;owned/);
  assertEquals(foreignControls(pty.written), []);
  await pty.type("quit\r");
  assertEquals(await pty.exit(), 0);
});

ptyTest("text that is typed before the prompt is back stays on the line", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await using pty = new Pty(peerCommand(index, temp.at("rui")), { columns: 100 });
  await pty.sees(/recess> /);
  for (const [first, next] of [["frob", "nicate"], ["gar", "ble"], ["per", "plex"]]) {
    const from = pty.written.length;
    await pty.type(`nonsense\r${first}`);
    await pty.sees(new RegExp(`There is no command "nonsense"[^]*recess> ${first}`), from);
    await pty.type(`${next}\r`);
    await pty.sees(new RegExp(`There is no command "${first}${next}"`), from);
  }
});

ptyTest("a terminal that reports no width counts as 80 columns wide", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await temp.file("ana/film.mp4", 30_000_000);
  await using _ana = await startPeer({ folder: temp.at("ana"), index, name: "ana" });
  await using pty = new Pty(`${peerCommand(index, temp.at("rui"))} --down 20MB/s`);
  await pty.sees(/recess> /);
  assertMatch(pty.written, /peer rui listening on \S+, sharing 0 files\r\n/);
  await pty.type("get film.mp4\r");
  await pty.sees(/30\.0 MB\s+in .*\s+from\s+ana/s);
  assert(!/Infinity|NaN/.test(pty.written), JSON.stringify(pty.written));
  await pty.type("quit\r");
  assertEquals(await pty.exit(), 0);
});

ptyTest("a one-shot download with NO_COLOR draws its progress without an escape code", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await temp.file("ana/film.mp4", 8_000_000);
  await using _ana = await startPeer({ folder: temp.at("ana"), index, name: "ana", args: ["--up", "4MB/s"] });
  // Without -q, Deno itself clears a line of the terminal while it loads modules.
  const command = peerCommand(index, temp.at("rui")).replace("'run'", "'run' '-q'");
  await using pty = new Pty(`export NO_COLOR=1; ${command} get film.mp4; ${command} get nothing.txt`, { columns: 60 });
  assertEquals(await pty.exit(), 3);
  assertMatch(pty.written, /\rfilm\.mp4 +\[#*-+\] +\d+ %/);
  assertMatch(pty.written, /error: No peer here has "nothing\.txt"/);
  assert(!pty.written.includes("\x1b"), JSON.stringify(pty.written));
});

ptyTest("transfers at 60 columns shortens names and shows every state in full", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await temp.file("ana/a film with a rather long name about peers.mp4", 40_000_000);
  await using _ana = await startPeer({ folder: temp.at("ana"), index, name: "ana", args: ["--up", "1MB/s"] });
  await using pty = new Pty(peerCommand(index, temp.at("rui")), { columns: 60 });
  await pty.sees(/recess> /);
  await pty.type('get "a film with a rather long name about peers.mp4"\r');
  await pty.sees(/\] +[1-9]\d? %/);
  const from = pty.written.length;
  await pty.type("transfers\r");
  const seen = await pty.sees(/running from ana\r\n/, from);
  assertMatch(seen, /1 {2}a fil\S* ?\S*…\S*\.mp4 +40\.0 MB/);
  await pty.type("cancel 1\rquit\r");
  assertEquals(await pty.exit(), 0);
});
