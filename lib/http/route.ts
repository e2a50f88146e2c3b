/**
 * One route, defined once: the request, the answer, and the function that answers. api.ts answers
 * requests by it, and openapi.ts describes it.
 * @module
 */

import type { Address } from "../core/address.ts";
import type { FailureCode } from "../core/failure.ts";
import { HOST_BYTES_MAX } from "../core/limits.ts";
import { type Field, text } from "../protocol/field.ts";
import { readJson } from "./body.ts";
import type { HttpRequest } from "./exchange.ts";
import { type Parameters, readQuery, type ValuesOf } from "./query.ts";

/** The methods that routes have. HEAD is answered wherever GET is. */
export type HttpMethod = "GET" | "POST" | "DELETE";

/** What a route learns of every request. */
export interface Asked {
  /** The address of the client, as observed. */
  readonly remote: Address;
  /** The host under which the client reached this server, if the request names one. */
  readonly reachedAt: string | undefined;
  /**
   * The part of the path in the place of `{...}`, decoded and checked; empty on a path without one.
   */
  readonly segment: string;
  readonly headers: Headers;
}

/** The answer of a route. */
export interface HttpAnswer {
  /** Default: 200. */
  readonly status?: number | undefined;
  /**
   * A string is sent as it is, a `StoredBody` in ranges, and any other value as JSON; undefined is
   * no body.
   */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** An answer in the OpenAPI document. Without a field it is text, or bytes, of the type. */
export interface AnswerShape {
  readonly about: string;
  readonly field?: Field<unknown> | undefined;
  readonly type?: string | undefined;
}

/** A header of a request in the OpenAPI document. */
export interface HeaderShape {
  readonly about: string;
  readonly field: Field<unknown>;
}

/** What a route says about itself. */
interface RouteFacts {
  /** Its name in the OpenAPI document and in metrics. */
  readonly operation: string;
  readonly about: string;
  /** By status. */
  readonly answers: Readonly<Record<number, AnswerShape>>;
}

/** One route of a server. All its routes work with the same `Parts`. */
export interface HttpRoute<Parts> extends RouteFacts {
  readonly method: HttpMethod;
  /** The path. In its last part, `{...}` stands for any text. */
  readonly path: string;
  /** Whether it is answered for everybody at any time, also without the room's key. */
  readonly isOpen: boolean;
  /** Whether the answer has an ETag, so that a client can ask whether its copy is still current. */
  readonly hasTag: boolean;
  /** Whether a client may ask for a range of the answer's bytes. */
  readonly hasRanges: boolean;
  /** The field of `{...}`. */
  readonly segment: Field<string>;
  readonly headers: Readonly<Record<string, HeaderShape>>;
  readonly parameters: Parameters;
  readonly body: Field<unknown> | undefined;
  /** Codes of its own failures, beside the ones that every route may have. */
  readonly fails: readonly FailureCode[];
  /**
   * Reads the rest of a request, and answers it.
   *
   * @param query What follows the question mark.
   * @throws {Failure} as declared.
   */
  answer(parts: Parts, request: HttpRequest, query: string, asked: Asked): Promise<HttpAnswer>;
}

/** A route as it is written down; see {@linkcode HttpRoute} for its fields. */
export interface RouteDefinition<Parts, P extends Parameters, B> extends RouteFacts {
  readonly isOpen?: true | undefined;
  readonly hasTag?: true | undefined;
  readonly hasRanges?: true | undefined;
  readonly segment?: Field<string> | undefined;
  readonly headers?: Readonly<Record<string, HeaderShape>> | undefined;
  readonly parameters?: P | undefined;
  readonly body?: Field<B> | undefined;
  readonly fails?: readonly FailureCode[] | undefined;
  answer(parts: Parts, asked: Asked & { readonly query: ValuesOf<P>; readonly body: B }): Promise<HttpAnswer>;
}

/** The text in the place of `{...}`, unless a route has another field for it. */
const SEGMENT = text({ bytesMax: HOST_BYTES_MAX });

/** Defines a route. */
export function httpRoute<Parts, P extends Parameters = Record<never, never>, B = undefined>(
  method: HttpMethod,
  path: string,
  definition: RouteDefinition<Parts, P, B>,
): HttpRoute<Parts> {
  const { operation, about, answers, parameters = {}, body } = definition;
  const { isOpen = false, hasTag = false, hasRanges = false } = definition;
  const { segment = SEGMENT, headers = {}, fails = [] } = definition;
  return {
    method,
    path,
    operation,
    about,
    isOpen,
    hasTag,
    hasRanges,
    segment,
    headers,
    parameters,
    body,
    answers,
    fails,
    async answer(parts, request, query, asked) {
      const values = readQuery(query, parameters) as ValuesOf<P>;
      const checked = body === undefined ? undefined : body.check(await readJson(request), "body");
      return await definition.answer(parts, { ...asked, query: values, body: checked as B });
    },
  };
}
