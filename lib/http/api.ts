/**
 * Answers requests by a table of routes: it finds the route, checks the client, and is the one
 * place that catches what a route throws. Called by server.ts.
 * @module
 */

import { createHash } from "node:crypto";
import type { Address } from "../core/address.ts";
import type { Clock } from "../core/flow/clock.ts";
import { Failure } from "../core/failure.ts";
import { URL_BYTES_MAX } from "../core/limits.ts";
import { hostOf, type HttpAccess } from "./access.ts";
import type { HttpRequest } from "./exchange.ts";
import { failureResponse, HttpFailure } from "./failure.ts";
import { decodePart } from "./query.ts";
import type { HttpAnswer, HttpRoute } from "./route.ts";
import { hasMatch, StoredBody } from "./stored_body.ts";

/** What an API is made of. */
export interface HttpApiOptions<Parts> {
  readonly routes: readonly HttpRoute<Parts>[];
  /** What the routes work with. */
  readonly parts: Parts;
  readonly clock: Clock;
  readonly access: HttpAccess;
  /**
   * Called with each request that has been answered, and how long that took. The operation is empty
   * when no route fits.
   */
  readonly onAnswered?: ((operation: string, ms: number) => void) | undefined;
  /** Called with each failure that a client was sent. */
  readonly onRefused?: ((failure: Failure, remote: Address) => void) | undefined;
  /** Called with an error that is a bug of ours. */
  readonly onBug?: ((thrown: unknown) => void) | undefined;
}

/**
 * Headers of every response that has no others: it is of its type only, belongs to no other page,
 * and gives nothing away.
 */
const HEADERS = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
};

/** The parts of a URL. */
interface Target {
  readonly path: string;
  readonly query: string;
}

/** What is known of a request while it is answered. */
interface Asking {
  operation: string;
  startedMs: number;
}

/** The API of one server. */
export class HttpApi<Parts> {
  readonly #options: HttpApiOptions<Parts>;

  constructor(options: HttpApiOptions<Parts>) {
    this.#options = options;
  }

  /** Answers one request. It does not throw: a failure also becomes a response. */
  async answer(request: HttpRequest, remote: Address): Promise<Response> {
    const { clock, onAnswered, onRefused, onBug } = this.#options;
    const asking = { operation: "", startedMs: clock.now() };
    let response: Response;
    try {
      response = await this.#answer(request, remote, asking);
    } catch (thrown) {
      const failure = thrown instanceof Failure ? thrown : new Failure("internal", "Cannot answer that");
      if (failure !== thrown) onBug?.(thrown);
      onRefused?.(failure, remote);
      response = failureResponse(failure);
    }
    onAnswered?.(asking.operation, clock.now() - asking.startedMs);
    for (const [name, value] of Object.entries(HEADERS)) {
      if (!response.headers.has(name)) response.headers.set(name, value);
    }
    return response;
  }

  async #answer(request: HttpRequest, remote: Address, asking: Asking): Promise<Response> {
    const { access, clock, routes, parts } = this.#options;
    const { method, url, headers } = request;
    const host = headers.get("host");
    access.checkHost(host);
    const { path, query } = targetOf(url);
    const { route, segment } = findRoute(routes, method, path);
    asking.operation = route.operation;
    using _request = route.isOpen ? undefined : access.enter(remote.host);
    if (!route.isOpen) {
      await access.checkKey(headers.get("authorization"), remote.host);
      await access.turn(remote.host);
    }
    asking.startedMs = clock.now();
    const reachedAt = host === null ? undefined : hostOf(host);
    const answer = await route.answer(parts, request, query, { remote, reachedAt, segment, headers });
    return responseOf(route, answer, headers);
  }
}

/**
 * Takes a URL apart.
 *
 * @throws {Failure} "too-large", "malformed".
 */
function targetOf(url: string): Target {
  if (url.length > URL_BYTES_MAX) {
    throw new HttpFailure(new Failure("too-large", `Cannot read a URL of more than ${URL_BYTES_MAX} bytes`), {
      status: 414,
    });
  }
  const parsed = URL.parse(url);
  if (parsed === null) throw new Failure("malformed", "Cannot read that URL");
  return { path: parsed.pathname, query: parsed.search.slice(1) };
}

/**
 * Finds the route of a request.
 *
 * @returns The route, with the text in the place of its `{...}`.
 * @throws {Failure} "not-found"; "unsupported", with the methods of the path; "malformed".
 */
function findRoute<Parts>(
  routes: readonly HttpRoute<Parts>[],
  method: string,
  path: string,
): { route: HttpRoute<Parts>; segment: string } {
  const [, parent, last = ""] = /^(\/[^/]+)\/([^/]+)$/.exec(path) ?? [];
  const all = routes.filter((each) => each.path === path || each.path.replace(/\{\w+\}$/, "") === `${parent}/`);
  const wanted = method === "HEAD" ? "GET" : method;
  const route = all.find((each) => each.method === wanted);
  if (route !== undefined) {
    return { route, segment: route.path === path ? "" : route.segment.check(decodePart(last), "the name") };
  }
  if (all.length === 0) throw new Failure("not-found", "There is nothing at that path", { hint: "see /openapi.json" });
  const methods = all.flatMap((each) => each.method === "GET" ? ["GET", "HEAD"] : [each.method]);
  throw new HttpFailure(new Failure("unsupported", `The methods of this path are ${methods.join(", ")}`), {
    status: 405,
    headers: { allow: methods.join(", ") },
  });
}

/** Makes the response of an answer to a request with these headers. */
function responseOf<Parts>(
  { hasTag }: HttpRoute<Parts>,
  { status = 200, body, headers = {} }: HttpAnswer,
  asked: Headers,
): Response {
  if (body instanceof StoredBody) return body.respond(asked, new Headers(headers));
  if (body === undefined) return new Response(null, { status, headers });
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const sent = new Headers({ "content-type": "application/json", ...headers });
  if (!hasTag) sent.set("cache-control", "no-store");
  else {
    const tag = `"${createHash("sha256").update(text).digest("hex").slice(0, 32)}"`;
    sent.set("etag", tag);
    sent.set("cache-control", "private, no-cache");
    if (status === 200 && hasMatch(asked.get("if-none-match"), tag)) {
      sent.delete("content-type");
      return new Response(null, { status: 304, headers: sent });
    }
  }
  return new Response(text, { status, headers: sent });
}
