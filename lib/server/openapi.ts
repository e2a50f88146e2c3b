/**
 * The document that describes the HTTP API, in OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0), made from the routes. Called by
 * http_routes.ts.
 * @module
 */

import type { FailureCode } from "../core/failure.ts";
import { VERSION } from "../core/version.ts";
import { type Field, type JsonSchema, text } from "../protocol/field.ts";
import { peerName } from "../protocol/shapes.ts";
import { HTTP_STATUS } from "./http_failure.ts";
import { type AnswerShape, type HttpRoute, TOKEN_HEADER } from "./http_route.ts";
import { HTTP_SCHEMAS, HttpError, token } from "./http_shapes.ts";

const SECURITY = "roomKey";

/** What every route may fail with: a request that cannot be read, a foreign host name, a bug. */
const ALWAYS: readonly FailureCode[] = ["malformed", "refused", "internal"];
/** The same for routes that are not open, and for those that take a body. */
const NOT_OPEN: readonly FailureCode[] = ["unproven", "no-member", "busy"];
const WITH_BODY: readonly FailureCode[] = ["unsupported", "too-large", "timeout"];

/** The codes that a route may fail with. */
export function failuresOf({ isOpen, body, fails }: HttpRoute): FailureCode[] {
  const codes = [...ALWAYS, ...(isOpen ? [] : NOT_OPEN), ...(body === undefined ? [] : WITH_BODY), ...fails];
  return [...new Set(codes)];
}

/** Describes routes. */
export function openApi(routes: readonly HttpRoute[]): JsonSchema {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method.toLowerCase()] = operationOf(route);
  return {
    openapi: "3.1.0",
    info: {
      title: "Recess index",
      version: VERSION,
      description: "Who is here, who has which file, and an address service. HEAD is answered wherever GET is.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(HTTP_SCHEMAS).map(([name, field]) => [name, schemaOf(field.schema)])),
      securitySchemes: {
        [SECURITY]: { type: "http", scheme: "bearer", description: "The room's key, in a room that has one." },
      },
    },
  };
}

function operationOf(route: HttpRoute): JsonSchema {
  const { operation, about, isOpen, body } = route;
  const parameters = parametersOf(route);
  return {
    operationId: operation,
    summary: about,
    // Without a key in the room, nothing is needed.
    security: isOpen ? [] : [{}, { [SECURITY]: [] }],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: jsonOf(body) } }),
    responses: responsesOf(route),
  };
}

function parametersOf({ path, parameters, takesToken, hasTag }: HttpRoute): JsonSchema[] {
  return [
    ...(path.includes("{name}") ? [{ name: "name", in: "path", required: true, schema: peerName.schema }] : []),
    ...Object.entries(parameters).map(([name, { field, about, byDefault }]) => {
      return { name, in: "query", description: about, schema: { ...field.schema, default: byDefault } };
    }),
    ...(takesToken ? [headerOf(TOKEN_HEADER, "What registering answered.", token)] : []),
    ...(hasTag ? [headerOf("If-None-Match", "The ETag of an answer one has.", text({ bytesMax: 1024 }))] : []),
  ];
}

function headerOf(name: string, description: string, { schema }: Field<unknown>): JsonSchema {
  return { name, in: "header", description, schema };
}

function responsesOf(route: HttpRoute): JsonSchema {
  const responses: Record<string, unknown> = {};
  for (const [status, answer] of Object.entries(route.answers)) {
    responses[status] = { description: answer.about, ...contentOf(answer) };
  }
  if (route.hasTag) responses["304"] = { description: "It is still what If-None-Match names." };
  const byStatus = Map.groupBy(failuresOf(route), (code) => HTTP_STATUS[code]);
  for (const [status, codes] of byStatus) {
    responses[status] = { description: `It failed: ${codes.join(" or ")}.`, content: jsonOf(HttpError) };
  }
  return responses;
}

function contentOf({ field, type }: AnswerShape): JsonSchema {
  if (field !== undefined) return { content: jsonOf(field) };
  if (type === undefined) return {};
  return { content: { [type]: { schema: { type: type === "application/json" ? "object" : "string" } } } };
}

function jsonOf(field: Field<unknown>): JsonSchema {
  return { "application/json": { schema: schemaOf(field.schema, { isPart: true }) } };
}

/** A schema in which parts that have a name are named. */
function schemaOf(schema: JsonSchema, { isPart = false } = {}): JsonSchema {
  const known = Object.entries(HTTP_SCHEMAS).find(([, field]) => field.schema === schema);
  if (isPart && known !== undefined) return { $ref: `#/components/schemas/${known[0]}` };
  const { properties, items } = schema;
  return {
    ...schema,
    ...(isSchema(items) ? { items: schemaOf(items, { isPart: true }) } : {}),
    ...(isSchema(properties) ? { properties: mapped(properties) } : {}),
  };
}

function mapped(properties: JsonSchema): JsonSchema {
  const entries = Object.entries(properties);
  return Object.fromEntries(
    entries.map(([name, part]) => [name, isSchema(part) ? schemaOf(part, { isPart: true }) : part]),
  );
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null;
}
