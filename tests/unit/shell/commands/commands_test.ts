import { assert, assertEquals, assertThrows } from "@std/assert";
import { Failure } from "../../../../lib/core/failure.ts";
import {
  checkUsage,
  commandName,
  commandOverview,
  COMMANDS,
  findCommand,
} from "../../../../lib/shell/commands/commands.ts";
import { answerInWords } from "../../../../lib/shell/commands/consent_commands.ts";
import { describeError, exitCodeOf } from "../../../../lib/cli/outcome.ts";

Deno.test("every command has a name, a line of help and its place in the overview", () => {
  const overview = commandOverview();
  for (const { name, about } of COMMANDS) assert(overview.includes(name) && overview.includes(about), name);
  assertEquals(new Set(COMMANDS.map((command) => command.name)).size, COMMANDS.length);
});

Deno.test("words of the classroom systems stand for commands, in any case, and other words for themselves", () => {
  for (const [word, name] of [["ajuda", "help"], ["AJUDA", "help"], ["sair", "quit"], ["exit", "quit"], ["ls", "ls"]]) {
    assertEquals(commandName(word ?? ""), name);
  }
  assertEquals(commandName("constructor"), "constructor");
  assertEquals(findCommand("ajuda").name, "help");
  for (const word of ["s", "S", "sim", "y", "yes"]) assertEquals(answerInWords([word, "2"]), ["accept", "2"], word);
  for (const word of ["n", "N", "nao", "não", "no"]) assertEquals(answerInWords([word]), ["refuse"], word);
});

Deno.test("checkUsage() counts arguments and knows whose a flag is", () => {
  const get = findCommand("get");
  checkUsage(get, ["a"], {}, ["from", "output"]);
  for (const [args, given] of [[[], []], [["a", "b"], []], [["a"], ["exact"]]] as const) {
    assertEquals(assertThrows(() => checkUsage(get, args, {}, given), Failure).code, "usage");
  }
  assertEquals(assertThrows(() => checkUsage(findCommand("search"), [], { limit: "x" }), Failure).code, "usage");
  assertEquals(assertThrows(() => findCommand("gett"), Failure).code, "usage");
});

Deno.test("errors are one sentence with a hint and the exit code that PRODUCT.md fixes, the trace only with --debug", () => {
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
