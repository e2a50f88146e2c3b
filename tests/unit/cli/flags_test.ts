import { assert, assertEquals, assertThrows } from "@std/assert";
import { Failure } from "../../../lib/core/failure.ts";
import { COMMON_FLAGS, flagHelp, parseFlags, pickFlags } from "../../../lib/cli/flags.ts";

const TABLE = {
  port: { value: "PORT", about: "port", byDefault: "1099" },
  name: { value: "NAME", about: "name" },
  output: { value: "PATH", about: "path" },
  ...COMMON_FLAGS,
} as const;

Deno.test("parseFlags() returns values, defaults and words, wherever the flags are", () => {
  const { flags, words, given } = parseFlags(["./share", "--name", "Ana", "get", "--json", "007", "--port=5"], TABLE);
  assertEquals([flags.name, flags.port, flags.json, flags.debug, flags.output], ["Ana", "5", true, false, undefined]);
  assertEquals([words, given], [["./share", "get", "007"], ["port", "name", "json"]]);
  assertEquals(parseFlags([], TABLE).flags.port, "1099");
});

Deno.test("parseFlags() accepts values that look like flags, and after -- words that do", () => {
  assertEquals(parseFlags(["get", "x", "--output", "-"], TABLE).flags.output, "-");
  assertEquals(parseFlags(["--name", "--json"], TABLE).flags.name, "--json");
  assertEquals(parseFlags(["get", "--", "--strange name"], TABLE).words, ["get", "--strange name"]);
});

Deno.test("parseFlags() refuses unknown flags and flags without their value", () => {
  for (const args of [["--prot", "1"], ["-x"], ["--name"], ["--name="], ["--port", ""]]) {
    assertEquals(assertThrows(() => parseFlags(args, TABLE), Failure).code, "usage", args.join(" "));
  }
});

Deno.test("parseFlags() reads a flag alone or with one of its words, and leaves other words alone", () => {
  const table = { ...TABLE, inbox: { words: ["share"], about: "inbox" } } as const;
  const cases: [args: string[], inbox: string | undefined, words: string[]][] = [
    [["./f"], undefined, ["./f"]],
    [["--inbox", "./f"], "", ["./f"]],
    [["./f", "--inbox"], "", ["./f"]],
    [["./f", "--inbox", "--json"], "", ["./f"]],
    [["--inbox", "share", "./f"], "share", ["./f"]],
    [["--inbox=share", "./f"], "share", ["./f"]],
    [["--inbox", "shared", "./f"], "", ["shared", "./f"]],
  ];
  for (const [args, inbox, words] of cases) {
    const parsed = parseFlags(args, table);
    assertEquals([parsed.flags.inbox, parsed.words], [inbox, words], args.join(" "));
  }
  assertEquals(assertThrows(() => parseFlags(["--inbox=all"], table), Failure).code, "usage");
  assert(flagHelp(table).includes("--inbox [share]"));
});

Deno.test("pickFlags() takes the flags of one table, with their defaults, from the values of a larger one", () => {
  const values = parseFlags(["--name", "Ana", "--json"], TABLE).flags;
  const some = { json: TABLE.json, port: TABLE.port, output: TABLE.output } as const;
  assertEquals(pickFlags(some, values), { json: true, port: "1099", output: undefined });
  assertEquals(pickFlags(some, {}), { json: false, port: "1099", output: undefined });
});

Deno.test("flagHelp() has a line for every flag", () => {
  const help = flagHelp(TABLE);
  assertEquals(help.split("\n").length, Object.keys(TABLE).length);
  assert(help.includes("--port PORT") && help.includes("(default: 1099)"));
});
