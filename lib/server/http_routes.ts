/**
 * The HTTP API: every route, in one table. Called by http_api.ts, which answers it, and openapi.ts, which describes it.
 * @module
 */

import { Failure } from "../core/failure.ts";
import { HITS_MAX, PAGE_ROWS_MAX, QUERY_BYTES_MAX, SEARCH_OFFSET_MAX } from "../core/limits.ts";
import { count, flag, text } from "../protocol/field.ts";
import { offset } from "../protocol/shapes.ts";
import { listPeers, search, showPeer } from "./http_lists.ts";
import { parameter } from "./http_query.ts";
import { register, unregister } from "./http_registry.ts";
import { type HttpRoute, httpRoute } from "./http_route.ts";
import { HttpHits, HttpPeer, HttpPeers, Registered, Registering, Status } from "./http_shapes.ts";
import { openApi } from "./openapi.ts";

/** Rows of a page, where the asker does not say how many. */
const ROWS = 100;
/** The same for hits. */
const HITS = 20;
const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";
const OK = { status: "ok" };

/** All routes. */
export const HTTP_ROUTES: readonly HttpRoute[] = [
  httpRoute("GET", "/peers", {
    operation: "listPeers",
    about: "The peers, in order of name, page by page: `more` says that there is another page.",
    hasTag: true,
    parameters: {
      limit: parameter(count({ min: 1, max: PAGE_ROWS_MAX }), "At most so many.", ROWS),
      offset: parameter(offset, "Pass over so many.", 0),
    },
    answers: { 200: { about: "One page.", field: HttpPeers } },
    answer: (parts, asked) => listPeers(parts, asked, asked.query),
  }),
  httpRoute("POST", "/peers", {
    operation: "register",
    about:
      "Registers a unique name, with the port of the machine that asks, for `ttl` seconds; with its `token`, renews it.",
    body: Registering,
    answers: {
      201: { about: "It is registered. The token renews and removes it.", field: Registered },
      200: { about: "It is renewed.", field: Registered },
    },
    fails: ["bad-name", "name-taken", "refused"],
    answer: (parts, asked) => register(parts, asked, asked.body),
  }),
  httpRoute("GET", "/peers/{name}", {
    operation: "showPeer",
    about: "One peer: where it is reached, and how much it lists.",
    hasTag: true,
    answers: { 200: { about: "The peer.", field: HttpPeer } },
    fails: ["not-found"],
    answer: showPeer,
  }),
  httpRoute("DELETE", "/peers/{name}", {
    operation: "unregister",
    about: "Removes a registered name before its time.",
    takesToken: true,
    answers: { 204: { about: "It is gone." } },
    fails: ["not-found", "refused"],
    answer: unregister,
  }),
  httpRoute("GET", "/search", {
    operation: "search",
    about:
      "Files with every word of `q` in their names, best match first. `old` says that the answer may be an old one.",
    hasTag: true,
    parameters: {
      q: parameter(text({ bytesMin: 0, bytesMax: QUERY_BYTES_MAX }), "Beginnings of words; none find all files.", ""),
      exact: parameter(flag(), "Whether `q` is the whole name, with or without its folders.", false),
      limit: parameter(count({ min: 1, max: HITS_MAX }), "At most so many.", HITS),
      offset: parameter(count({ max: SEARCH_OFFSET_MAX }), "Pass over so many.", 0),
    },
    answers: { 200: { about: "What was found.", field: HttpHits } },
    answer: (parts, asked) => {
      const { q, ...query } = asked.query;
      return search(parts, asked, { query: q, ...query });
    },
  }),
  httpRoute("GET", "/healthz", {
    operation: "healthz",
    about: "Whether the process lives.",
    isOpen: true,
    answers: { 200: { about: "It does.", field: Status } },
    answer: () => Promise.resolve({ body: OK }),
  }),
  httpRoute("GET", "/readyz", {
    operation: "readyz",
    about: "Whether answers are those of now; if not, the other servers of this index cannot be reached.",
    isOpen: true,
    answers: { 200: { about: "They are.", field: Status } },
    fails: ["busy"],
    answer: ({ index }) => {
      if (!index.isCurrent) throw new Failure("busy", "Cannot say what is now: answers may be old");
      return Promise.resolve({ body: OK });
    },
  }),
  httpRoute("GET", "/metrics", {
    operation: "metrics",
    about: "Numbers about the index, as Prometheus reads them.",
    answers: { 200: { about: "The numbers.", type: METRICS_TYPE } },
    answer: async ({ metrics, index, state }) => {
      return { body: await metrics.exposition(index, state()), headers: { "content-type": METRICS_TYPE } };
    },
  }),
  httpRoute("GET", "/openapi.json", {
    operation: "describe",
    about: "This API, described in OpenAPI 3.1.",
    isOpen: true,
    hasTag: true,
    answers: { 200: { about: "The description.", type: "application/json" } },
    answer: () => Promise.resolve({ body: openApi(HTTP_ROUTES) }),
  }),
];
