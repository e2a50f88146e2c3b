/**
 * The document that describes an API in OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0), made
 * from its routes. Called by the route that serves it.
 * @module
 */

import type { FailureCode } from "../core/failure.ts";
import { VERSION } from "../core/version.ts";
import { type Field, type JsonSchema, text } from "../protocol/field.ts";
import { HTTP_STATUS, HttpError } from "./failure.ts";
import type { AnswerShape, HeaderShape, HttpRoute } from "./route.ts";

const SECURITY = "roomKey";

/**
 * Failures that every route may have: of a request that cannot be read, of a foreign host name, of
 * a bug.
 */
const ALWAYS: readonly FailureCode[] = ["malformed", "refused", "internal"];
/** Failures of every route that is not open. */
const NOT_OPEN: readonly FailureCode[] = ["unproven", "no-member", "busy"];
/** Failures of every route that reads a body. */
const WITH_BODY: readonly FailureCode[] = ["unsupported", "too-large", "timeout"];

/** Headers that routes have by their kind. */
const IF_NONE_MATCH: HeaderShape = { about: "The ETag of an earlier answer.", field: text({ bytesMax: 1024 }) };
const RANGE: HeaderShape = { about: "The bytes that are wanted.", field: text({ bytesMax: 64 }) };

/** A route, whatever it works with. */
type AnyRoute = Omit<HttpRoute<never>, "answer">;

/** What is described. */
export interface ApiDescription {
  readonly title: string;
  readonly description: string;
  readonly routes: readonly AnyRoute[];
  /** Fields that have a name in the document. */
  readonly schemas: Readonly<Record<string, Field<unknown>>>;
}

/** The codes of the failures that a route may have. */
export function failuresOf({ isOpen, body, fails }: AnyRoute): FailureCode[] {
  const codes = [...ALWAYS, ...(isOpen ? [] : NOT_OPEN), ...(body === undefined ? [] : WITH_BODY), ...fails];
  return [...new Set(codes)];
}

/** Describes an API. */
export function openApi({ title, description, routes, schemas }: ApiDescription): JsonSchema {
  const named = new Schemas({ ...schemas, Error: HttpError });
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method.toLowerCase()] = operationOf(route, named);
  return {
    openapi: "3.1.0",
    info: { title, version: VERSION, description, license: { name: "MIT", identifier: "MIT" } },
    servers: [{ url: "/" }],
    paths,
    components: {
      schemas: named.all(),
      securitySchemes: {
        [SECURITY]: { type: "http", scheme: "bearer", description: "The room's key, in a room that has one." },
      },
    },
  };
}

function operationOf(route: AnyRoute, schemas: Schemas): JsonSchema {
  const { operation, about, isOpen, body } = route;
  const parameters = parametersOf(route);
  return {
    operationId: operation,
    summary: about,
    // A room without a key asks for none.
    security: isOpen ? [] : [{}, { [SECURITY]: [] }],
    parameters: parameters.length === 0 ? undefined : parameters,
    requestBody: body === undefined ? undefined : { required: true, content: schemas.json(body) },
    responses: responsesOf(route, schemas),
  };
}

function parametersOf({ path, segment, parameters, headers, hasTag, hasRanges }: AnyRoute): JsonSchema[] {
  const [, name] = /\{(\w+)\}$/.exec(path) ?? [];
  const allHeaders = { ...headers };
  if (hasTag) allHeaders["If-None-Match"] = IF_NONE_MATCH;
  if (hasRanges) allHeaders["Range"] = RANGE;
  return [
    ...(name === undefined ? [] : [{ name, in: "path", required: true, schema: segment.schema }]),
    ...Object.entries(parameters).map(([name, { field, about, byDefault }]) => {
      return { name, in: "query", description: about, schema: { ...field.schema, default: byDefault } };
    }),
    ...Object.entries(allHeaders).map(([name, { about, field }]) => {
      return { name, in: "header", description: about, schema: field.schema };
    }),
  ];
}

function responsesOf(route: AnyRoute, schemas: Schemas): JsonSchema {
  const responses: Record<string, unknown> = {};
  for (const [status, answer] of Object.entries(route.answers)) {
    responses[status] = { description: answer.about, ...contentOf(answer, schemas) };
  }
  const whole = route.answers[200];
  if (route.hasRanges && whole !== undefined) {
    responses["206"] = { description: "The bytes of the range.", ...contentOf(whole, schemas) };
    responses["416"] = { description: "There is no byte of the range.", content: schemas.json(HttpError) };
  }
  if (route.hasTag) responses["304"] = { description: "The answer that If-None-Match names is still current." };
  for (const [status, codes] of Map.groupBy(failuresOf(route), (code) => HTTP_STATUS[code])) {
    responses[status] = { description: `It failed: ${codes.join(" or ")}.`, content: schemas.json(HttpError) };
  }
  return responses;
}

function contentOf({ field, type }: AnswerShape, schemas: Schemas): JsonSchema {
  if (field !== undefined) return { content: schemas.json(field) };
  if (type === undefined) return {};
  return { content: { [type]: { schema: { type: type === "application/json" ? "object" : "string" } } } };
}

/** The schemas of a document, in which parts that have a name are referred to by it. */
class Schemas {
  readonly #named: Readonly<Record<string, Field<unknown>>>;

  constructor(named: Readonly<Record<string, Field<unknown>>>) {
    this.#named = named;
  }

  /** Every schema that has a name. */
  all(): JsonSchema {
    return Object.fromEntries(Object.entries(this.#named).map(([name, { schema }]) => [name, this.#inside(schema)]));
  }

  /** A field as the content of a body. */
  json({ schema }: Field<unknown>): JsonSchema {
    return { "application/json": { schema: this.#part(schema) } };
  }

  #part(schema: JsonSchema): JsonSchema {
    const known = Object.entries(this.#named).find(([, field]) => field.schema === schema);
    return known === undefined ? this.#inside(schema) : { $ref: `#/components/schemas/${known[0]}` };
  }

  #inside(schema: JsonSchema): JsonSchema {
    const { properties, items } = schema;
    return {
      ...schema,
      items: isSchema(items) ? this.#part(items) : undefined,
      properties: isSchema(properties) ? this.#parts(properties) : undefined,
    };
  }

  #parts(properties: JsonSchema): JsonSchema {
    const entries = Object.entries(properties);
    return Object.fromEntries(entries.map(([name, part]) => [name, isSchema(part) ? this.#part(part) : part]));
  }
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null;
}
