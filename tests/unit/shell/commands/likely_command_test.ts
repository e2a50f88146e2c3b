import { assertEquals } from "@std/assert";
import { COMMANDS } from "../../../../lib/shell/commands/commands.ts";
import { likelyCommand } from "../../../../lib/shell/commands/likely_command.ts";

Deno.test("likelyCommand() understands typing errors, beginnings and words of other programs", () => {
  const names = [...COMMANDS.map(({ name }) => name), "quit"];
  const cases: [word: string, command: string | undefined][] = [
    ["serach", "search"],
    ["SAERCH", "search"],
    ["searhc", "search"],
    ["gett", "get"],
    ["gte", "get"],
    ["qiut", "quit"],
    ["transfer", "transfers"],
    ["trans", "transfers"],
    ["mess", "messages"],
    ["find", "search"],
    ["download", "get"],
    ["?", "help"],
    ["film", undefined],
    ["x", undefined],
    ["frobnicate", undefined],
    ["constructor", undefined],
  ];
  for (const [word, command] of cases) assertEquals(likelyCommand(word, names), command, word);
});
