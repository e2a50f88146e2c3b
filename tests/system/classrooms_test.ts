/**
 * Whatever the five classroom systems did is found where people look for it.
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { CLASSROOMS } from "../../lib/cli/classrooms.ts";
import { PROJECT, runIndex, runPeer } from "../support/programs.ts";

Deno.test("README and both programs' help name the five classroom systems, with existing commands", async () => {
  const readme = await Deno.readTextFile(`${PROJECT}/README.md`);
  const [peer, index] = [await runPeer("--help"), await runIndex("--help")];
  assertEquals([peer.code, index.code], [0, 0]);
  assertEquals(CLASSROOMS.map(({ letter }) => letter), ["A", "B", "C", "D", "E"]);
  for (const { letter, system, peer: words } of CLASSROOMS) {
    for (const { stdout } of [peer, index]) assertMatch(stdout, new RegExp(`^  ${letter}  ${system}: `, "m"));
    const row = readme.split("\n").find((line) => line.startsWith(`| ${letter}. ${system} `)) ?? "";
    for (const word of words) {
      assert(row.includes(`\`${word}\``), `${word} is not in README's row ${letter}`);
      assertMatch(peer.stdout, new RegExp(`^  ${word}(?: |$)`, "m"), `${word} is not in the help`);
    }
  }
});
