/**
 * The shell in a real terminal: history, completion, progress below what is being typed, narrow
 * windows, Ctrl-C.
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { testWith } from "../support/components.ts";
import { PEER_FLAGS, PROJECT, type RunningPeer, startCommand, startIndex, startPeer } from "../support/programs.ts";
import { sameFiles, TempFolder } from "../support/temp.ts";
import { TmuxTerminal } from "../support/tmux.ts";
import { eventually } from "../support/wait.ts";

/** What 944 MB may take to arrive and be on the disk. */
const DOWNLOAD_MS_MAX = 60_000;

/**
 * Runs a test in a terminal with a peer `rui`, in a room with a peer `ana` that has a film and a
 * file with a wide name.
 */
function inTerminal(
  name: string,
  run: (terminal: TmuxTerminal, temp: TempFolder, ana: RunningPeer) => Promise<void>,
): void {
  testWith("tmux", ["-V"], name, async () => {
    await using temp = await TempFolder.make();
    await using index = await startIndex();
    await temp.file("ana/film 1.mp4", 900 * 1024 * 1024);
    await temp.file("ana/学习 🎓.txt", 1000);
    await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana" });
    const peer = [
      Deno.execPath(),
      ...PEER_FLAGS,
      "peer.ts",
      temp.at("rui"),
      "--name",
      "rui",
      "--index",
      `127.0.0.1:${index.port}`,
    ];
    const command = `cd '${PROJECT}'; ${peer.map((word) => `'${word}'`).join(" ")}; echo "exit code $?"; cat`;
    await using terminal = await TmuxTerminal.open(command, { columns: 80, rows: 24 });
    await terminal.sees(/^recess>/);
    await run(terminal, temp, ana);
  });
}

inTerminal("the shell greets, searches, completes, remembers and leaves", async (terminal) => {
  await terminal.sees(/^peer rui listening on \S+, sharing 0 files$/);
  await terminal.sees(/^Made the folder .*rui/);
  await terminal.type("search FIL", "Enter");
  await terminal.sees(/^1 {2}film 1\.mp4 +944 MB +1 {2}ana$/);
  await terminal.type("pe", "Tab");
  await terminal.sees(/^recess> peers/);
  await terminal.type("Enter");
  await terminal.sees(/^ana +[0-9a-f-]+ +127\.0\.0\.1:\d+ +2/);
  await terminal.type("get 学", "Tab");
  await terminal.sees(/^recess> get "学习 🎓\.txt"$/);
  await terminal.type("C-c");
  await terminal.sees(/^recess>$/);
  await terminal.type("Up", "Up");
  await terminal.sees(/^recess> search FIL$/);
  await terminal.type("C-c", "frobnicate", "Enter");
  await terminal.sees(/^error: There is no command "frobnicate"/);
  await terminal.type("quit", "Enter");
  await terminal.sees(/^exit code 0$/);
});

inTerminal("progress is drawn below what is being typed, and eats none of it", async (terminal, _, ana) => {
  await terminal.type('get "film 1.mp4"', "Enter");
  await terminal.sees(/^film 1\.mp4 .*\[#*-+\].* %/);
  // The download must not be over before the test has typed.
  ana.program.kill("SIGSTOP");
  for (const part of ["search ", "some", "thing", " 学习"]) {
    await terminal.type(part);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  await terminal.type("Left", "Left", "Left", "X");
  await terminal.sees(/^recess> search somethingX 学习$/);
  const { column, row } = await terminal.cursor();
  const screen = await terminal.screen();
  assertEquals([screen[row], column], ["recess> search somethingX 学习", "recess> search somethingX".length]);
  assertMatch(screen[row + 1] ?? "", /^film 1\.mp4 .* %/);
  ana.program.kill("SIGCONT");
  await terminal.sees(/^(?:.*\) )?from ana$/, DOWNLOAD_MS_MAX);
  await terminal.sees(/^recess> search somethingX 学习$/);
  const after = await terminal.screen();
  assertEquals(after.filter((each) => each.includes("%")), [], "a progress line was left behind");
});

inTerminal("a narrow and low window scrolls and wraps without a mess", async (terminal) => {
  await terminal.resize({ columns: 60, rows: 8 });
  for (let round = 0; round < 4; round++) await terminal.type("peers", "Enter");
  await terminal.type('get "film 1.mp4"', "Enter");
  await terminal.sees(/^film 1\.mp4 .* %/);
  const long = "search a line that is long enough to wrap around at sixty columns";
  await terminal.type(long);
  await terminal.sees(/sixty columns$/);
  await terminal.sees(/^(?:.*\) )?from ana$/, DOWNLOAD_MS_MAX);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const screen = await terminal.screen();
  const start = screen.findLastIndex((row) => row.startsWith("recess> "));
  assertEquals((screen[start] ?? "").padEnd(60) + screen[start + 1], `recess> ${long}`);
  assert(screen.every((row) => row.length <= 60));
  assertEquals(screen.filter((row) => row.includes("%")), []);
});

inTerminal(
  "Ctrl-C in the middle of a download is asked for twice, keeps what is here, and leaves the terminal in order",
  async (terminal, temp, ana) => {
    await terminal.type('get "film 1.mp4"', "Enter");
    await terminal.sees(/^film 1\.mp4 .*[1-9]\d? %/);
    // The download must not be over before it is interrupted.
    ana.program.kill("SIGSTOP");
    await terminal.type("C-c");
    await terminal.sees(/^Press Ctrl-C again, or write quit, to leave$/);
    await terminal.type("C-c");
    await terminal.sees(/^exit code 130$/);
    const [unfinished] = Array.from(Deno.readDirSync(temp.at("rui", ".recess", "incoming")));
    assert(unfinished !== undefined, "nothing was kept");
  },
);

testWith(
  "tmux",
  ["-V"],
  "a request for consent disturbs neither progress nor typed text, and yes answers it",
  async () => {
    await using temp = await TempFolder.make();
    await using index = await startIndex();
    await temp.file("ana/film 1.mp4", 900 * 1024 * 1024);
    await temp.file("rui/notes.txt", 10_000);
    await using _ana = await startPeer({ folder: temp.at("ana"), index, name: "ana", args: ["--up", "40MB/s"] });
    const peer = [Deno.execPath(), ...PEER_FLAGS, "peer.ts", temp.at("rui"), "--name", "rui", "--consent", "ask"];
    const words = [...peer, "--index", `127.0.0.1:${index.port}`].map((word) => `'${word}'`).join(" ");
    await using terminal = await TmuxTerminal.open(`cd '${PROJECT}'; ${words}; cat`, { columns: 110, rows: 24 });
    await terminal.sees(/^recess>/);
    await terminal.type('get "film 1.mp4"', "Enter");
    await terminal.sees(/^film 1\.mp4 .* %/);
    await terminal.type("search half a li");
    const eva = { folder: temp.at("eva"), index, name: "eva" };
    await using asking = startCommand(eva, "get", "notes.txt");
    await terminal.sees(
      /^Request 1: eva \([0-9a-f-]+\) wants to download "notes\.txt" \(10\.0 KB\)\. Answer: accept 1/,
    );
    await eventually("eva sees that she waits", () => /asking rui for consent/.test(asking.stderr));
    await terminal.type("ne");
    await terminal.sees(/^recess> search half a line$/);
    const { column, row } = await terminal.cursor();
    const screen = await terminal.screen();
    assertEquals([screen[row], column], ["recess> search half a line", "recess> search half a line".length]);
    assertMatch(screen[row + 1] ?? "", /^film 1\.mp4 .* %/);
    assertEquals(screen.filter((each) => /film 1\.mp4 .* %/.test(each)).length, 1, screen.join("\n"));
    await terminal.type("C-c", "yes", "Enter");
    await terminal.sees(/^Request 1: allowed$/);
    assertEquals(await asking.exit(), 0, asking.stderr);
    assert(await sameFiles(temp.at("rui/notes.txt"), temp.at("eva/notes.txt")));
  },
);
