/**
 * What a person sees after leaving in the middle of a download, and the state of the terminal
 * afterwards.
 * @module
 */

import { assert, assertMatch } from "@std/assert";
import { withComponent } from "../support/components.ts";
import { PEER_FLAGS, PROJECT, type RunningIndex, startIndex, startPeer } from "../support/programs.ts";
import { Pty } from "../support/pty.ts";
import { sameFiles, TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

const ptyTest = withComponent("script", ["--version"]);

/**
 * The peer `rui`, which replaces the shell that says its process id first. Then its exit code, and
 * how the terminal reads lines.
 */
function peerCommand(index: RunningIndex, folder: string, ...more: string[]): string {
  const words = [Deno.execPath(), ...PEER_FLAGS, "peer.ts", folder, "--name", "rui", "--images", "off", ...more];
  const peer = [...words, "--index", `127.0.0.1:${index.port}`].map((word) => `'${word}'`).join(" ");
  return `cd '${PROJECT}'; export NO_COLOR=1; sh -c 'echo "process $$"; exec "$@"' sh ${peer}; ` +
    'echo "exit code $?, $(stty -a | grep -o -- "-*icanon")"';
}

const WAYS: [way: string, code: number, leave: (pty: Pty) => Promise<void>][] = [
  ["quit", 0, (pty) => pty.type("quit\r")],
  ["Ctrl-D", 0, (pty) => pty.type("\x04")],
  ["Ctrl-C twice", 130, async (pty) => {
    await pty.type("\x03");
    await pty.sees(/Press Ctrl-C again, or write quit, to leave/);
    await pty.type("\x03");
  }],
  ["SIGTERM", 0, (pty) => {
    Deno.kill(Number(/process (\d+)/.exec(pty.written)?.[1]), "SIGTERM");
    return Promise.resolve();
  }],
];

for (const [way, code, leave] of WAYS) {
  ptyTest(
    `a shell left by ${way} during a download reports how far it came, and continues it later`,
    async () => {
      await using temp = await TempFolder.make();
      await using index = await startIndex();
      const film = await temp.file("ana/film.mp4", 30_000_000);
      await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana", args: ["--up", "4MB/s"] });
      await using pty = new Pty(peerCommand(index, temp.at("rui")), { columns: 80 });
      await pty.sees(/recess> /);
      await pty.type("get film.mp4\r");
      await pty.sees(/film\.mp4 .* [1-9]\d? %/);
      // The download must not be over before it is left.
      ana.program.kill("SIGSTOP");
      const from = pty.written.length;
      await leave(pty);
      const seen = await pty.sees(/exit code \d+, \S+\r\n/, from);
      assertMatch(seen, /(?:\n|\[J)film\.mp4 stopped at [1-9]\d? %; it continues when you start again\r\n/);
      assertMatch(seen, new RegExp(`\\nexit code ${code}, icanon\\r\\n$`));
      ana.program.kill("SIGCONT");
      await using again = await startPeer({ folder: temp.at("rui"), index, name: "rui" });
      await eventually("the rest arrives", () => again.program.stdout.includes("; the rest was here"), 60_000);
      assert(await sameFiles(film, temp.at("rui/film.mp4")));
    },
  );
}

ptyTest("Ctrl-C that clears typed text does not count towards leaving", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await using pty = new Pty(peerCommand(index, temp.at("rui")), { columns: 80 });
  await pty.sees(/recess> /);
  await pty.type("\x03");
  await pty.sees(/Ctrl-C again/);
  let from = pty.written.length;
  await pty.type("search fi");
  await pty.sees(/search fi$/, from);
  from = pty.written.length;
  await pty.type("\x03");
  await pty.showsLast("recess> ", from);
  from = pty.written.length;
  await pty.type("\x03");
  await pty.sees(/Ctrl-C again/, from);
  await pty.type("\x03");
  await pty.sees(/exit code 130/, from);
});
