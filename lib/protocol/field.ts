/**
 * The building blocks of messages. A field is the bounds of a value. The TypeScript type, the check
 * of received values, the random samples of the fuzz tests, the words of the protocol table and the
 * schemas of the HTTP API all follow from it. Fields compose. None knows a socket, a file or a
 * clock.
 * @module
 */

import { Failure } from "../core/failure.ts";
import { type Random, randomBelow, randomOf } from "../core/random.ts";
import { utf8Bytes } from "../core/utf8.ts";

/**
 * The bounds as JSON Schema 2020-12, as far as that can express them: it counts characters where we
 * count bytes.
 */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** One value's bounds. */
export interface Field<T> {
  /** The bounds in words, for the protocol table. */
  readonly shape: string;
  /** The bounds for programs, for the HTTP API. */
  readonly schema: JsonSchema;
  /**
   * Checks a value.
   *
   * @returns The value, rebuilt from known fields only and in their order.
   * @throws {Failure} "malformed", with `path` in its message.
   */
  check(value: unknown, path: string): T;
  /** A random value within the bounds. */
  sample(random: Random): T;
}

/** A field that may be absent from its record. */
export interface OptionalField<T> extends Field<T> {
  readonly optional: true;
}

/** The fields of a record, in the order in which they travel. */
export type Shape = Readonly<Record<string, Field<unknown>>>;

type OptionalKeys<S extends Shape> = { [K in keyof S]: S[K] extends OptionalField<unknown> ? K : never }[keyof S];

/** The value that a field describes. */
export type ValueOf<F> = F extends Field<infer T> ? T : never;

/** The record that a shape describes. */
export type RecordOf<S extends Shape> =
  & { readonly [K in Exclude<keyof S, OptionalKeys<S>>]: ValueOf<S[K]> }
  & { readonly [K in OptionalKeys<S>]?: ValueOf<S[K]> | undefined };

/**
 * Unicode text of `bytesMin` (default: 1) to `bytesMax` bytes in UTF-8, without NUL and half
 * surrogate pairs.
 */
export function text(bounds: { bytesMax: number; bytesMin?: number }): Field<string> {
  const { bytesMax, bytesMin = 1 } = bounds;
  return {
    shape: `text, ${bytesMin} to ${bytesMax} bytes`,
    schema: { type: "string", minLength: Math.ceil(bytesMin / 4), maxLength: bytesMax },
    check(value, path) {
      if (typeof value !== "string") throw wrong(path, "text");
      if (value.length > bytesMax || value.length < Math.ceil(bytesMin / 3)) throw wrong(path, this.shape);
      if (value.length * 3 > bytesMax || bytesMin > 1) {
        const bytes = utf8Bytes(value);
        if (bytes > bytesMax || bytes < bytesMin) throw wrong(path, this.shape);
      }
      if (!value.isWellFormed() || value.includes("\0")) throw wrong(path, "Unicode text without NUL");
      return value;
    },
    sample(random) {
      let sample = "";
      const end = bytesMin + randomBelow(random, Math.min(bytesMax, 40) - bytesMin + 1);
      while (utf8Bytes(sample) < end) sample += randomOf(random, SAMPLE_CHARACTERS);
      while (utf8Bytes(sample) > bytesMax) sample = [...sample].slice(0, -1).join("");
      return utf8Bytes(sample) < bytesMin ? "x".repeat(bytesMin) : sample;
    },
  };
}

/** A whole number from `min` (default: 0) to `max`. */
export function count(bounds: { max: number; min?: number }): Field<number> {
  const { max, min = 0 } = bounds;
  return {
    shape: `number, ${min} to ${max}`,
    schema: { type: "integer", minimum: min, maximum: max },
    check(value, path) {
      if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min || value > max) {
        throw wrong(path, this.shape);
      }
      return value;
    },
    sample: (random) => randomOf(random, [min, max, min + randomBelow(random, Math.min(max - min, 2 ** 32) + 1)]),
  };
}

/** True or false. */
export function flag(): Field<boolean> {
  return {
    shape: "true or false",
    schema: { type: "boolean" },
    check(value, path) {
      if (typeof value !== "boolean") throw wrong(path, this.shape);
      return value;
    },
    sample: (random) => random() < 0.5,
  };
}

/** One of a few words. */
export function choice<const T extends string>(words: readonly T[]): Field<T> {
  return {
    shape: words.map((word) => `"${word}"`).join(" or "),
    schema: { type: "string", enum: words },
    check(value, path) {
      const word = words.find((each) => each === value);
      if (word === undefined) throw wrong(path, this.shape);
      return word;
    },
    sample: (random) => randomOf(random, words),
  };
}

/** Bytes in lower-case hex. */
export function hex(bounds: { bytes: number }): Field<string> {
  const digits = bounds.bytes * 2;
  const regexp = new RegExp(`^[0-9a-f]{${digits}}$`);
  return {
    shape: `${digits} hex digits`,
    schema: { type: "string", pattern: regexp.source },
    check(value, path) {
      if (typeof value !== "string" || !regexp.test(value)) throw wrong(path, this.shape);
      return value;
    },
    sample: (random) => Array.from({ length: digits }, () => randomBelow(random, 16).toString(16)).join(""),
  };
}

/** At most `bytesMax` bytes, in lower-case hex. */
export function bytes(bounds: { bytesMax: number }): Field<string> {
  const { bytesMax } = bounds;
  return {
    shape: `hex digits of 1 to ${bytesMax} bytes`,
    schema: { type: "string", pattern: "^(?:[0-9a-f]{2})+$", maxLength: 2 * bytesMax },
    check(value, path) {
      const isHex = typeof value === "string" && value.length <= 2 * bytesMax && /^(?:[0-9a-f]{2})+$/.test(value);
      if (!isHex) throw wrong(path, this.shape);
      return value;
    },
    sample(random) {
      const count = 1 + randomBelow(random, bytesMax);
      return Array.from({ length: 2 * count }, () => randomBelow(random, 16).toString(16)).join("");
    },
  };
}

/** A list of at most `max` items. */
export function list<T>(item: Field<T>, bounds: { max: number }): Field<readonly T[]> {
  return {
    shape: `list of ≤ ${bounds.max}${"name" in item ? "" : ":"} ${item.shape}`,
    schema: { type: "array", items: item.schema, maxItems: bounds.max },
    check(value, path) {
      if (!Array.isArray(value)) throw wrong(path, "a list");
      if (value.length > bounds.max) throw wrong(path, `a list of at most ${bounds.max}`);
      return value.map((each, index) => item.check(each, `${path}[${index}]`));
    },
    sample: (random) =>
      Array.from({ length: randomBelow(random, Math.min(bounds.max, 4) + 1) }, () => item.sample(random)),
  };
}

/** Marks a field that may be absent. */
export function optional<T>(field: Field<T>): OptionalField<T> {
  return {
    optional: true,
    shape: `${field.shape} (optional)`,
    schema: field.schema,
    check: (value, path) => field.check(value, path),
    sample: (random) => field.sample(random),
  };
}

/** Says in the schema what a value means. */
export function described<F extends Field<unknown>>(field: F, description: string): F {
  return { ...field, schema: { ...field.schema, description } };
}

/** Bounds of a whole record, besides those of its fields. */
export interface RecordBounds {
  /** Optional fields: a record has exactly one of them. */
  readonly exactlyOneOf?: readonly string[] | undefined;
}

/**
 * Named fields. Unknown fields are left out, so that a newer version can add some. Nothing of the
 * received object itself is kept, so that a field called `__proto__` means nothing.
 */
export function record<S extends Shape>(shape: S, bounds: RecordBounds = {}): Field<RecordOf<S>> {
  const fields = Object.entries(shape);
  const { exactlyOneOf = [] } = bounds;
  return {
    shape: `{ ${fields.map(([name, field]) => `${name}: ${field.shape}`).join(", ")} }`,
    schema: {
      type: "object",
      properties: Object.fromEntries(fields.map(([name, field]) => [name, field.schema])),
      required: fields.filter(([, field]) => !isOptional(field)).map(([name]) => name),
      oneOf: exactlyOneOf.length === 0 ? undefined : exactlyOneOf.map((name) => ({ required: [name] })),
    },
    check(value, path) {
      if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(path, "an object");
      const checked: Record<string, unknown> = {};
      for (const [name, field] of fields) {
        const given = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
        if (given !== undefined) checked[name] = field.check(given, `${path}.${name}`);
        else if (!isOptional(field)) throw wrong(`${path}.${name}`, "present");
      }
      if (exactlyOneOf.length > 0 && exactlyOneOf.filter((name) => Object.hasOwn(checked, name)).length !== 1) {
        throw wrong(path, `an object with exactly one of ${exactlyOneOf.join(", ")}`);
      }
      return checked as RecordOf<S>;
    },
    sample(random) {
      const chosen = exactlyOneOf.length > 0 ? randomOf(random, exactlyOneOf) : undefined;
      const sample: Record<string, unknown> = {};
      for (const [name, field] of fields) {
        const absent = exactlyOneOf.includes(name) ? name !== chosen : isOptional(field) && random() < 0.5;
        if (!absent) sample[name] = field.sample(random);
      }
      return sample as RecordOf<S>;
    },
  };
}

/** A record with a name, under which the documents describe it once. */
export interface NamedRecord<T> extends Field<T> {
  readonly name: string;
  readonly fields: Shape;
}

/**
 * A record that several messages carry. In tables and in the HTTP API it is mentioned by its name.
 */
export function named<S extends Shape>(name: string, fields: S): NamedRecord<RecordOf<S>> {
  return { ...record(fields), shape: name, name, fields };
}

/** Letters of several lengths in UTF-8, and some that attackers like. */
const SAMPLE_CHARACTERS = ["a", "B", "7", " ", "/", ".", "ç", "ã", "学", "🎓", '"', "\\", "\n", "\u001b", "\u202e"];

function isOptional(field: Field<unknown>): boolean {
  return "optional" in field;
}

function wrong(path: string, wanted: string): Failure {
  return new Failure("malformed", `Cannot read the message: ${path} is not ${wanted}`);
}
