import { assert, assertEquals, assertThrows } from "@std/assert";
import { Failure } from "../../../lib/core/failure.ts";
import { count, type Field, flag, hex, list, optional, record, text } from "../../../lib/protocol/field.ts";
import { seededRandom } from "../../support/seeded_random.ts";

const RECORD = record({ name: text({ bytesMax: 9 }), size: count({ max: 5, min: 1 }), sure: optional(flag()) });

const CASES: [what: string, field: Field<unknown>, good: unknown[], bad: unknown[]][] = [
  ["text", text({ bytesMax: 4 }), ["a", "学", "🎓", "çã"], [
    "",
    "abcde",
    "学学",
    "a\0b",
    "\ud800",
    7,
    null,
    ["a"],
    undefined,
  ]],
  ["text that may be empty", text({ bytesMin: 0, bytesMax: 4 }), ["", "a"], ["abcde"]],
  ["long text", text({ bytesMin: 3, bytesMax: 4 }), ["abc", "学"], ["ab", "ç", "学a学"]],
  ["count", count({ max: 10, min: 2 }), [2, 10], [1, 11, 2.5, -2, NaN, Infinity, 1e400, 2 ** 53, "3", null, true]],
  ["flag", flag(), [true, false], [0, 1, "true", null]],
  ["hex", hex({ bytes: 2 }), ["00ff"], ["00FF", "00f", "00ff0", "zzzz", 1, "00ff\n"]],
  ["list", list(flag(), { max: 2 }), [[], [true, false]], [[true, true, true], [1], {}, "ab", { length: 1 }]],
  ["record", RECORD, [{ name: "a", size: 1 }, { name: "a", size: 5, sure: true }], [
    {},
    { name: "a" },
    { size: 1 },
    { name: "a", size: 1, sure: null },
    [],
    null,
    "x",
  ]],
  [
    "record with exactly one of",
    record({ a: optional(flag()), b: optional(flag()) }, { exactlyOneOf: ["a", "b"] }),
    [{ a: true }, { b: false }],
    [{}, { a: true, b: true }],
  ],
];

Deno.test("every field takes what is within its bounds and fails as malformed on all else", () => {
  for (const [what, field, good, bad] of CASES) {
    for (const value of good) assertEquals(field.check(value, "x"), value, what);
    for (const value of bad) {
      assertEquals(assertThrows(() => field.check(value, "x"), Failure).code, "malformed", `${what} ${String(value)}`);
    }
  }
});

Deno.test("every sample is within its own bounds, for any seed", () => {
  for (const [what, field] of CASES) {
    for (let seed = 0; seed < 300; seed++) {
      const sample = field.sample(seededRandom(seed));
      assertEquals(field.check(sample, "x"), sample, `${what}, seed ${seed}`);
    }
  }
});

Deno.test("record() keeps known fields only, in their order, and no prototype of the sender's", () => {
  const hostile = JSON.parse('{"size":1,"__proto__":{"sure":true},"constructor":1,"extra":2,"name":"a"}');
  const checked = RECORD.check(hostile, "x");
  assertEquals(JSON.stringify(checked), '{"name":"a","size":1}');
  assertEquals(checked.sure, undefined);
  assert(Object.getPrototypeOf(checked) === Object.prototype);
  assertThrows(() => RECORD.check(JSON.parse('{"__proto__":{"name":"a","size":1}}'), "x"), Failure);
});
