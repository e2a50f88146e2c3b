/**
 * Answers HTTP requests: finds the route, lets in who may ask, and is the one place that catches what a route does. Called by http_server.ts.
 * @module
 */

import { createHash } from "node:crypto";
import { type Address, formatAddress } from "../core/address.ts";
import type { Clock } from "../core/flow/clock.ts";
import { failedWith, Failure } from "../core/failure.ts";
import { URL_BYTES_MAX } from "../core/limits.ts";
import { peerName } from "../protocol/shapes.ts";
import { hostOf, type HttpAccess } from "./http_access.ts";
import type { HttpRequest } from "./http_exchange.ts";
import { failureResponse, HttpFailure } from "./http_failure.ts";
import { decodePart } from "./http_query.ts";
import { type Asked, type HttpAnswer, type HttpParts, type HttpRoute, TOKEN_HEADER } from "./http_route.ts";
import { HTTP_ROUTES } from "./http_routes.ts";

/** What the HTTP side is made of. */
export interface HttpApiOptions extends HttpParts {
  readonly clock: Clock;
  readonly access: HttpAccess;
}

/** What every answer says: that it is what its type says, shown in no other page, and of use to nobody but who asked. */
const HEADERS = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
};

/** A request's target, cut up. */
interface Target {
  readonly path: string;
  readonly query: string;
}

/** The HTTP API of one index. */
export class HttpApi {
  readonly #options: HttpApiOptions;

  constructor(options: HttpApiOptions) {
    this.#options = options;
  }

  /** Answers one request from an address. Fails: never. */
  async answer(request: HttpRequest, remote: Address): Promise<Response> {
    const { clock, metrics, journal } = this.#options;
    const asking = { operation: "", startedMs: clock.now() };
    let response: Response;
    try {
      response = await this.#answer(request, remote, asking);
    } catch (thrown) {
      const failure = thrown instanceof Failure ? thrown : new Failure("internal", "Cannot answer that");
      metrics.refused(failure.code);
      if (failure !== thrown) journal({ event: "bug", message: String(thrown), trace: traceOf(thrown) });
      if (failedWith(failure, "no-member")) {
        journal({ event: "refused", peer: formatAddress(remote), code: failure.code, message: failure.message });
      }
      response = failureResponse(failure);
    }
    metrics.answeredHttp(asking.operation, clock.now() - asking.startedMs);
    for (const [name, value] of Object.entries(HEADERS)) response.headers.set(name, value);
    return response;
  }

  async #answer(
    request: HttpRequest,
    remote: Address,
    asking: { operation: string; startedMs: number },
  ): Promise<Response> {
    const { access, clock } = this.#options;
    const hostHeader = request.headers.get("host");
    access.checkHost(hostHeader);
    const target = targetOf(request.url);
    const { route, name } = findRoute(request.method, target.path);
    asking.operation = route.operation;
    using _request = route.isOpen ? undefined : access.enter(remote.host);
    if (!route.isOpen) {
      await access.checkKey(request.headers.get("authorization"), remote.host);
      await access.turn(remote.host);
    }
    asking.startedMs = clock.now();
    const asked: Asked = {
      remote,
      reachedAt: hostHeader === null ? undefined : hostOf(hostHeader),
      name,
      token: request.headers.get(TOKEN_HEADER) ?? undefined,
    };
    const answer = await route.answer(this.#options, request, target.query, asked);
    return responseOf(route, answer, request.headers.get("if-none-match"));
  }
}

/** Cuts up a URL. Fails: "too-large", "malformed". */
function targetOf(url: string): Target {
  if (url.length > URL_BYTES_MAX) {
    throw new HttpFailure(new Failure("too-large", `Cannot read an address of more than ${URL_BYTES_MAX} bytes`), {
      status: 414,
    });
  }
  const parsed = URL.parse(url);
  if (parsed === null) throw new Failure("malformed", "Cannot read that address");
  return { path: parsed.pathname, query: parsed.search.slice(1) };
}

/** The route of a method and path, with the `{name}` of the path. Fails: "not-found"; "unsupported" with the methods that there are. */
function findRoute(method: string, path: string): { route: HttpRoute; name: string } {
  const [, parent = "", segment = ""] = /^(\/[^/]+)\/([^/]+)$/.exec(path) ?? [];
  const below = `${parent}/{name}`;
  const all = HTTP_ROUTES.filter((each) => each.path === path || each.path === below);
  const wanted = method === "HEAD" ? "GET" : method;
  const route = all.find((each) => each.method === wanted);
  if (route !== undefined) return { route, name: route.path === path ? "" : decodeName(segment) };
  if (all.length === 0) throw new Failure("not-found", "There is nothing at that path", { hint: "see /openapi.json" });
  const methods = all.flatMap((each) => each.method === "GET" ? ["GET", "HEAD"] : [each.method]);
  throw new HttpFailure(new Failure("unsupported", `Only ${methods.join(", ")} can be asked for here`), {
    status: 405,
    headers: { allow: methods.join(", ") },
  });
}

/** The name in a path. Fails: "malformed". */
function decodeName(segment: string): string {
  return peerName.check(decodePart(segment), "the name");
}

function responseOf(
  { hasTag }: HttpRoute,
  { status = 200, body, headers = {} }: HttpAnswer,
  known: string | null,
): Response {
  if (body === undefined) return new Response(null, { status, headers });
  const isText = typeof body === "string";
  const text = isText ? body : JSON.stringify(body);
  const sent = new Headers({ "content-type": "application/json", ...headers });
  if (!hasTag) sent.set("cache-control", "no-store");
  else {
    const tag = `"${createHash("sha256").update(text).digest("hex").slice(0, 32)}"`;
    sent.set("etag", tag);
    sent.set("cache-control", "private, no-cache");
    if (status === 200 && hasMatch(known, tag)) {
      sent.delete("content-type");
      return new Response(null, { status: 304, headers: sent });
    }
  }
  return new Response(text, { status, headers: sent });
}

/** Whether an If-None-Match names this tag; a tag that was made weak on the way counts as the same. */
function hasMatch(known: string | null, tag: string): boolean {
  return known?.split(",").some((each) => ["*", tag].includes(each.trim().replace(/^W\//, ""))) ?? false;
}

function traceOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.stack ?? "" : "";
}
