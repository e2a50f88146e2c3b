import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Failure } from "../../../../lib/core/failure.ts";
import {
  commandName,
  commandOverview,
  commandReference,
  COMMANDS,
  findCommand,
  helpOf,
} from "../../../../lib/shell/commands/commands.ts";
import { answerInWords } from "../../../../lib/shell/commands/consent_commands.ts";
import { describeError, exitCodeOf } from "../../../../lib/cli/outcome.ts";

Deno.test("every command has a name, a line of help and its place in the overview", () => {
  const overview = commandOverview();
  for (const { name, about } of COMMANDS) assert(overview.includes(name) && overview.includes(about), name);
  assertMatch(commandReference(), /^ {2}get WHAT .*\n {6}--compress .*\n {6}--from PEER .*\n {6}--output PATH /m);
  assertEquals(new Set(COMMANDS.map((command) => command.name)).size, COMMANDS.length);
});

Deno.test("commandName() knows the words of the classroom systems, in any case", () => {
  for (const [word, name] of [["ajuda", "help"], ["AJUDA", "help"], ["sair", "quit"], ["exit", "quit"], ["ls", "ls"]]) {
    assertEquals(commandName(word ?? ""), name);
  }
  assertEquals(commandName("constructor"), "constructor");
  assertEquals(findCommand("ajuda").name, "help");
  for (const word of ["s", "S", "sim", "y", "yes"]) assertEquals(answerInWords([word, "2"]), ["accept", "2"], word);
  for (const word of ["n", "N", "nao", "não", "no"]) assertEquals(answerInWords([word]), ["refuse"], word);
});

Deno.test("help explains every command and every other word that the overview lists", () => {
  for (const line of commandOverview().split("\n").filter((each) => /^ {2}\w/.test(each))) {
    const [name = ""] = line.trim().split(" ");
    const others = /; also: (.*)$/.exec(line)?.[1]?.split(", ") ?? [];
    for (const word of [name, ...others]) assertMatch(helpOf(word), new RegExp(`^${name}\\b`), word);
  }
  for (const word of ["quit", "exit", "sair"]) assertMatch(helpOf(word), /^quit: leave/, word);
  for (const word of ["y", "YES", "sim", "always"]) assertMatch(helpOf(word), /^accept \[N\]: allow/, word);
  assertEquals(assertThrows(() => helpOf("frobnicate"), Failure).code, "usage");
});

Deno.test("findCommand() refuses quit as one command, and says where it works", () => {
  for (const word of ["quit", "exit"]) {
    const { message, hint } = assertThrows(() => findCommand(word), Failure);
    assertMatch(message, /works only in the shell/);
    assert(!hint.includes("did you mean"), hint);
  }
});

Deno.test("a command refuses a wrong number of words, flags of other commands, and values that make no sense", () => {
  const ready = (name: string, words: string[], given: string[] = [], flags = {}) => {
    return findCommand(name).ready({ words, flags, given });
  };
  assertEquals(ready("get", ["a"], ["from", "output"]).needs, "peer");
  assertEquals(ready("search", [], ["limit"], { limit: "5" }).needs, "index");
  assertEquals(ready("help", ["get"]).needs, "nothing");
  const wrong: [name: string, words: string[], given?: string[], flags?: Record<string, string>][] = [
    ["get", []],
    ["get", ["a", "b"]],
    ["get", ["a"], ["exact"]],
    ["tell", ["ana"]],
    ["search", [], ["limit"], { limit: "x" }],
  ];
  for (const typed of wrong) assertEquals(assertThrows(() => ready(...typed), Failure).code, "usage", typed.join(" "));
  assertEquals(assertThrows(() => findCommand("gett"), Failure).code, "usage");
});

Deno.test("describeError() prints one sentence with a hint, and a stack only with --debug", () => {
  const cases: [code: ConstructorParameters<typeof Failure>[0], exit: number][] = [
    ["usage", 2],
    ["not-found", 3],
    ["not-shared", 3],
    ["refused", 4],
    ["name-taken", 4],
    ["index-unreachable", 5],
    ["cancelled", 130],
    ["corrupt", 1],
    ["disk-full", 1],
  ];
  for (const [code, exit] of cases) assertEquals(exitCodeOf(new Failure(code, "x")), exit, code);
  assertEquals(exitCodeOf(new TypeError("bug")), 1);
  const failure = new Failure("busy", 'Cannot get "a\u001b[2Jb"', { cause: new Error("below") });
  const plain = describeError(failure, { json: false, debug: false });
  assertEquals(plain, 'error: Cannot get "a\\u{1b}[2Jb" (try again in a moment)');
  const traced = describeError(failure, { json: false, debug: true });
  assert(traced.includes("commands_test.ts") && traced.includes("caused by: Error: below"));
  const forged = describeError(new Failure("refused", "no\nerror: forged"), { json: false, debug: true });
  assert(!forged.includes("\nerror: forged") && forged.includes("\n    at "), forged);
  assertEquals(JSON.parse(describeError(failure, { json: true, debug: false })), {
    event: "error",
    code: "busy",
    message: 'Cannot get "a\u001b[2Jb"',
    retry: true,
    hint: "try again in a moment",
  });
});
