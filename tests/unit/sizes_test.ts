import { assertEquals, assertGreater } from "@std/assert";
import { functionsOf, modules, textOf } from "../support/modules.ts";

const LINES_OF_FILE_MAX = 350;
const LINES_OF_FUNCTION_MAX = 60;
const LINES_OF_START_MAX = 40;

const MODULES = modules();
const PROGRAMS = ["../server.ts", "../peer.ts"];

Deno.test(`no module of lib has more than ${LINES_OF_FILE_MAX} lines`, () => {
  const sizes = MODULES.map((module) => ({ module, lines: textOf(module).trimEnd().split("\n").length }));
  console.log(`the longest module has ${Math.max(...sizes.map(({ lines }) => lines))} lines`);
  assertEquals(sizes.filter(({ lines }) => lines > LINES_OF_FILE_MAX), []);
});

Deno.test(`no function has more than ${LINES_OF_FUNCTION_MAX} lines, nor Peer.start than ${LINES_OF_START_MAX}`, () => {
  const sizes = [...MODULES, ...PROGRAMS].flatMap((module) =>
    functionsOf(textOf(module)).map((size) => ({ module, ...size }))
  );
  console.log(`${sizes.length} functions, the longest with ${Math.max(...sizes.map(({ lines }) => lines))} lines`);
  assertGreater(sizes.length, 1_000);
  assertEquals(sizes.filter(({ lines }) => lines > LINES_OF_FUNCTION_MAX), []);
  const start = sizes.filter(({ module, name }) => module === "peer/peer.ts" && name === "start");
  assertEquals(start.map(({ lines }) => lines <= LINES_OF_START_MAX), [true]);
});

Deno.test("functionsOf() measures functions and methods from the head to the closing brace", () => {
  const text = [
    "export async function one(",
    "  a: number,",
    "): Promise<void> {",
    "  if (a > 0) {",
    "    await two();",
    "  }",
    "}",
    "class Three {",
    "  static async *four(): AsyncGenerator<number> {",
    "    yield 1;",
    "  }",
    "  #five<T>(x: T): T {",
    "    return x;",
    "  }",
    "}",
    "const seven = {",
    "  eight(a) {",
    "    return a;",
    "  },",
    "};",
    "six(one, async () => {",
    "  await two();",
    "});",
  ].join("\n");
  assertEquals(functionsOf(text), [
    { name: "one", lines: 7 },
    { name: "four", lines: 3 },
    { name: "#five", lines: 3 },
    { name: "eight", lines: 3 },
  ]);
});
