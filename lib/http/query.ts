/**
 * Reads the query of a URL. Every parameter has a field that bounds it and a default. A parameter
 * that is unknown, or that comes twice, is rejected, so that a typing error is noticed. Called by
 * route.ts.
 * @module
 */

import { Failure } from "../core/failure.ts";
import { printable } from "../core/printable.ts";
import type { Field } from "../protocol/field.ts";

/** One parameter. */
export interface Parameter<T> {
  readonly field: Field<T>;
  readonly about: string;
  readonly byDefault: T;
}

/** Parameters by name. */
export type Parameters = Readonly<Record<string, Parameter<unknown>>>;

/** The values of parameters. */
export type ValuesOf<P extends Parameters> = {
  readonly [Name in keyof P]: P[Name] extends Parameter<infer T> ? T : never;
};

/** Defines a parameter. */
export function parameter<T>(field: Field<T>, about: string, byDefault: T): Parameter<T> {
  return { field, about, byDefault };
}

/**
 * Reads a query.
 *
 * @param query What follows the question mark.
 * @throws {Failure} "malformed".
 */
export function readQuery<P extends Parameters>(query: string, parameters: P): ValuesOf<P> {
  const given = new Map<string, string>();
  for (const part of query.split("&").filter((each) => each !== "")) {
    const [name = "", ...rest] = part.split("=");
    const decoded = decodePart(name);
    if (!Object.hasOwn(parameters, decoded)) {
      const known = Object.keys(parameters);
      throw new Failure("malformed", `There is no parameter "${printable(decoded)}"`, {
        hint: known.length === 0 ? "this path has no parameters" : `the parameters are ${known.join(", ")}`,
      });
    }
    if (given.has(decoded)) throw new Failure("malformed", `Cannot read "${decoded}" twice`);
    given.set(decoded, decodePart(rest.join("=").replaceAll("+", " ")));
  }
  const values = Object.entries(parameters).map(([name, { field, byDefault }]) => {
    const text = given.get(name);
    return [name, text === undefined ? byDefault : field.check(valueOf(text, field), name)];
  });
  return Object.fromEntries(values) as ValuesOf<P>;
}

/**
 * Undoes percent-encoding.
 *
 * @throws {Failure} "malformed", also when the bytes are not UTF-8.
 */
export function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (thrown) {
    throw new Failure("malformed", `Cannot read "${printable(part)}": it is not percent-encoded UTF-8`, {
      cause: thrown,
    });
  }
}

/**
 * Converts a text to the type of a field. A text that cannot be converted stays one, and the field
 * rejects it.
 */
function valueOf(text: string, { schema }: Field<unknown>): unknown {
  switch (schema["type"]) {
    case "integer":
      return /^\d{1,16}$/.test(text) ? Number(text) : text;
    case "boolean":
      return text === "true" ? true : text === "false" ? false : text;
    default:
      return text;
  }
}
