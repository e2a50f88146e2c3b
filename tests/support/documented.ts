/**
 * Checks answers against the document that the index itself serves at `/openapi.json`, as a client
 * made from it would rely on it.
 * @module
 */

import { assert, assertEquals } from "@std/assert";

/** JSON that has been read. */
type Json = Record<string, unknown>;

/** An OpenAPI document that was served. */
export class Documented {
  readonly #document: Json;

  constructor(document: unknown) {
    this.#document = objectOf(document);
  }

  /** Every operation, as METHOD and path. */
  get operations(): string[] {
    return Object.entries(objectOf(this.#document["paths"])).flatMap(([path, operations]) => {
      return Object.keys(objectOf(operations)).map((method) => `${method.toUpperCase()} ${path}`);
    });
  }

  /**
   * What one operation may be answered with, by status; undefined when there is no such operation.
   */
  responses(method: string, path: string): Json | undefined {
    const paths = Object.entries(objectOf(this.#document["paths"]));
    const [, found] = paths.find(([each]) => each === path) ??
      paths.find(([each]) => new RegExp(`^${each.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(path)) ?? [];
    const operation = found === undefined ? undefined : objectOf(found)[method.toLowerCase()];
    return operation === undefined ? undefined : objectOf(objectOf(operation)["responses"]);
  }

  /**
   * Fails unless an answer is one that is documented.
   *
   * @returns METHOD, path and status as documented; undefined where there is no operation.
   */
  async check(method: string, target: string, response: Response): Promise<void> {
    const responses = this.responses(method === "HEAD" ? "GET" : method, target.split("?")[0] ?? "");
    if (responses === undefined) return;
    const what = `${method} ${target}: ${response.status}`;
    // An address that is too long, or has a malformed path, belongs to no route.
    if (response.status === 414) return;
    const documented = responses[String(response.status)];
    assert(documented !== undefined, `${what} is documented`);
    const content = objectOf(documented)["content"];
    const text = await response.clone().text();
    if (content === undefined || response.status === 304) return assertEquals(text, "", what);
    // The platform leaves the body out.
    if (method === "HEAD") return;
    const [type = "", media] = Object.entries(objectOf(content))[0] ?? [];
    assertEquals(response.headers.get("content-type"), type, what);
    const schema = objectOf(objectOf(media)["schema"]);
    this.#check(type === "application/json" ? JSON.parse(text) : text, schema, what);
  }

  /** Fails unless a value is what a named schema says. */
  checkValue(name: string, value: unknown): void {
    this.#check(value, { $ref: `#/components/schemas/${name}` }, name);
  }

  /**
   * JSON Schema, as much of it as the document uses. What an object holds beside its properties is
   * an error here: it would not be documented.
   */
  #check(value: unknown, schema: Json, path: string): void {
    const { $ref, type, enum: words, minimum, maximum, minLength, maxLength, maxItems, pattern } = schema;
    if (typeof $ref === "string") return this.#check(value, this.#named($ref), path);
    if (Array.isArray(words)) assert(words.includes(value), path);
    switch (type) {
      case "string":
        assert(typeof value === "string", path);
        assert([...value].length >= numberOf(minLength, 0) && [...value].length <= numberOf(maxLength, Infinity), path);
        return assert(typeof pattern !== "string" || new RegExp(pattern).test(value), path);
      case "integer":
        assert(Number.isInteger(value), path);
        return assert(Number(value) >= numberOf(minimum, 0) && Number(value) <= numberOf(maximum, Infinity), path);
      case "boolean":
        return assert(typeof value === "boolean", path);
      case "array":
        assert(Array.isArray(value) && value.length <= numberOf(maxItems, Infinity), path);
        return value.forEach((each, index) => this.#check(each, objectOf(schema["items"]), `${path}[${index}]`));
      case "object":
        return this.#checkObject(objectOf(value), schema, path);
      default:
        throw new Error(`${path}: the document has no type there`);
    }
  }

  #checkObject(value: Json, { properties, required = [] }: Json, path: string): void {
    if (properties === undefined) return;
    const known = objectOf(properties);
    for (const [name, each] of Object.entries(value)) {
      assert(Object.hasOwn(known, name), `${path}.${name} is documented`);
      this.#check(each, objectOf(known[name]), `${path}.${name}`);
    }
    assert(Array.isArray(required) && required.every((name) => Object.hasOwn(value, name)), `${path} has ${required}`);
  }

  #named(reference: string): Json {
    let found: Json = this.#document;
    for (const step of reference.split("/").slice(1)) found = objectOf(found[step]);
    return found;
  }
}

function objectOf(value: unknown): Json {
  assert(typeof value === "object" && value !== null && !Array.isArray(value), JSON.stringify(value));
  return value as Json;
}

function numberOf(value: unknown, byDefault: number): number {
  return typeof value === "number" ? value : byDefault;
}
