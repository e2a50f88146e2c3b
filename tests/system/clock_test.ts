/**
 * Machines with clocks that are decades off: libfaketime changes the system clock of real peers.
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { withComponent } from "../support/components.ts";
import { runCommand, runIndex, type RunningIndex, startIndex, startPeer } from "../support/programs.ts";
import { sameFiles, TempFolder } from "../support/temp.ts";

const clockTest = withComponent("faketime", ["--version"]);

/**
 * The command that starts a program at another time. Waits and timers are those of this machine.
 */
function atTime(time: string): readonly string[] {
  // The wrapper `faketime` would outlive a program that is killed, so what it sets is set here. The
  // linker replaces $LIB.
  const library = "LD_PRELOAD=/usr/$LIB/faketime/libfaketimeMT.so.1";
  return ["env", library, `FAKETIME=@${time}`, "FAKETIME_DONT_FAKE_MONOTONIC=1"];
}

const CLOCKS = ["1970-01-02 00:00:00", "2015-06-01 12:00:00", "2060-06-01 12:00:00"];

/**
 * Has a peer of each clock download from one with the right clock, and one with the right clock
 * from each of them.
 */
async function downloadsBothWays(temp: TempFolder, index: RunningIndex, args: readonly string[]): Promise<void> {
  await temp.file("ana/film.mp4", 3_000_000);
  await using _ana = await startPeer({ folder: temp.at("ana"), index, name: "ana", args });
  for (const [number, clock] of CLOCKS.entries()) {
    const name = `rui${number}`;
    const rui = { folder: temp.at(name), index, name, args, within: atTime(clock) };
    const fetched = await runCommand(rui, "get", "film.mp4", "--from", "ana");
    assertEquals(fetched.code, 0, `${clock}: ${fetched.stderr}`);
    assert(await sameFiles(temp.at("ana/film.mp4"), temp.at(name, "film.mp4")));
    await temp.file(`${name}/from ${name}.mp4`, 2_000_000 + number);
    await using _rui = await startPeer(rui);
    const bia = { folder: temp.at("bia"), index, name: "bia", args };
    const back = await runCommand(bia, "get", `from ${name}.mp4`);
    assertEquals(back.code, 0, `${clock}: ${back.stderr}`);
    assert(await sameFiles(temp.at(name, `from ${name}.mp4`), temp.at("bia", `from ${name}.mp4`)));
  }
}

clockTest("faketime changes the clock that a program reads", async () => {
  for (const clock of CLOCKS) {
    const [command = "", ...args] = [...atTime(clock), "date", "-u", "+%Y"];
    const { stdout } = await new Deno.Command(command, { args }).output();
    assertEquals(new TextDecoder().decode(stdout).trim(), clock.slice(0, 4));
  }
});

clockTest("peers whose clocks show 1970, 2015 and 2060 download and upload", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await downloadsBothWays(temp, index, []);
});

clockTest("peers whose clocks show 1970, 2015 and 2060 join a room with a key and download there", async () => {
  await using temp = await TempFolder.make();
  const { stdout } = await runIndex("--new-room-key");
  await Deno.writeTextFile(temp.at("room.key"), stdout);
  const key = ["--room-key-file", temp.at("room.key")];
  await using index = await startIndex(...key);
  await downloadsBothWays(temp, index, key);
});
