/**
 * One route of the HTTP API, defined once: what is asked, what is answered, and by what. Answering, the document at `/openapi.json` and README's
 * table are made from the routes in http_routes.ts.
 * @module
 */

import type { HttpRequest } from "./http_exchange.ts";
import type { Address } from "../core/address.ts";
import type { FailureCode } from "../core/failure.ts";
import type { SearchIndex } from "../index/search_index.ts";
import type { Field } from "../protocol/field.ts";
import { readJson } from "./http_body.ts";
import { type Parameters, readQuery, type ValuesOf } from "./http_query.ts";
import type { IndexMetrics, ServerState } from "./index_metrics.ts";
import type { Journal } from "./journal.ts";
import type { Registrars } from "./registrars.ts";

/** The header that carries the token of a registration where there is no body to carry it. */
export const TOKEN_HEADER = "X-Recess-Token";

/** The methods that are answered; HEAD is, wherever GET is. */
export type HttpMethod = "GET" | "POST" | "DELETE";

/** What all routes work with. */
export interface HttpParts {
  readonly index: SearchIndex;
  readonly journal: Journal;
  readonly metrics: IndexMetrics;
  readonly registrars: Registrars;
  /** What the index server knows about itself. */
  readonly state: () => ServerState;
}

/** What every request says. */
export interface Asked {
  /** Who asks, as observed. */
  readonly remote: Address;
  /** At which host the index was asked, as far as the asker says so. */
  readonly reachedAt: string | undefined;
  /** The `{name}` of the path, decoded; else empty. */
  readonly name: string;
  /** The token in its header. */
  readonly token: string | undefined;
}

/** What a route answers: a value that goes as JSON, or text of a type of its own. */
export interface HttpAnswer {
  readonly status?: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer as the document describes it. Without a field it is text of the type. */
export interface AnswerShape {
  readonly about: string;
  readonly field?: Field<unknown>;
  readonly type?: string;
}

/** One route. */
export interface HttpRoute {
  readonly method: HttpMethod;
  /** The path, in which `{name}` stands for any one segment. */
  readonly path: string;
  /** What it is called in the document and in metrics. */
  readonly operation: string;
  readonly about: string;
  /** Whether everybody may ask at any time, also who has no room key. */
  readonly isOpen: boolean;
  /** Whether who has the answer already may ask if it is still the same. */
  readonly hasTag: boolean;
  readonly takesToken: boolean;
  readonly parameters: Parameters;
  readonly body: Field<unknown> | undefined;
  /** By status. */
  readonly answers: Readonly<Record<number, AnswerShape>>;
  /** What it fails with, beside what every route may. */
  readonly fails: readonly FailureCode[];
  /** Reads the rest of the request, and answers it. Fails: as declared. */
  answer(parts: HttpParts, request: HttpRequest, query: string, asked: Asked): Promise<HttpAnswer>;
}

/** A route as it is written down. */
export interface RouteDefinition<P extends Parameters, B> {
  readonly operation: string;
  readonly about: string;
  readonly isOpen?: true;
  readonly hasTag?: true;
  readonly takesToken?: true;
  readonly parameters?: P;
  readonly body?: Field<B>;
  readonly answers: Readonly<Record<number, AnswerShape>>;
  readonly fails?: readonly FailureCode[];
  answer(parts: HttpParts, asked: Asked & { readonly query: ValuesOf<P>; readonly body: B }): Promise<HttpAnswer>;
}

/** Defines a route. */
export function httpRoute<P extends Parameters = Record<never, never>, B = undefined>(
  method: HttpMethod,
  path: string,
  definition: RouteDefinition<P, B>,
): HttpRoute {
  const { operation, about, isOpen = false, hasTag = false, takesToken = false, answers, fails = [] } = definition;
  const { parameters = {}, body } = definition;
  return {
    method,
    path,
    operation,
    about,
    isOpen,
    hasTag,
    takesToken,
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
