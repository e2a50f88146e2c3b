/**
 * The index's HTTP API: every route, in one table. index_http.ts serves it. The OpenAPI document
 * and the table in lib/server/README.md are made from it.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import { HITS_MAX, PAGE_ROWS_MAX, QUERY_BYTES_MAX, SEARCH_OFFSET_MAX } from "../../core/limits.ts";
import { openApi } from "../../http/openapi.ts";
import { parameter } from "../../http/query.ts";
import { type HttpRoute, httpRoute } from "../../http/route.ts";
import { count, flag, type JsonSchema, text } from "../../protocol/field.ts";
import { offset, peerName } from "../../protocol/shapes.ts";
import { listPeers, search, showPeer } from "./lists.ts";
import type { IndexHttpParts } from "./parts.ts";
import { register, TOKEN_HEADER, unregister } from "./registry.ts";
import { HTTP_SCHEMAS, HttpHits, HttpPeer, HttpPeers, Registered, Registering, Status, token } from "./shapes.ts";

/** Default rows of a page. */
const ROWS = 100;
/** Default hits of a search. */
const HITS = 20;
const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";
const OK = { status: "ok" };

/** All routes. */
export const HTTP_ROUTES: readonly HttpRoute<IndexHttpParts>[] = [
  httpRoute("GET", "/peers", {
    operation: "listPeers",
    about: "The peers in order of name, a page at a time. `more` means that another page follows.",
    hasTag: true,
    parameters: {
      limit: parameter(count({ min: 1, max: PAGE_ROWS_MAX }), "The most rows of the page.", ROWS),
      offset: parameter(offset, "How many rows to skip.", 0),
    },
    answers: { 200: { about: "One page.", field: HttpPeers } },
    answer: (parts, asked) => listPeers(parts, asked, asked.query),
  }),
  httpRoute("POST", "/peers", {
    operation: "register",
    about:
      "Registers a unique name for `ttl` seconds, with a port of the machine that asks. With its `token`, renews it.",
    body: Registering,
    answers: {
      201: { about: "The name is registered. The token renews and removes it.", field: Registered },
      200: { about: "The registration is renewed.", field: Registered },
    },
    fails: ["bad-name", "name-taken", "refused"],
    answer: (parts, asked) => register(parts, asked, asked.body),
  }),
  httpRoute("GET", "/peers/{name}", {
    operation: "showPeer",
    about: "One peer: its address, and how much it lists.",
    hasTag: true,
    segment: peerName,
    answers: { 200: { about: "The peer.", field: HttpPeer } },
    fails: ["not-found"],
    answer: showPeer,
  }),
  httpRoute("DELETE", "/peers/{name}", {
    operation: "unregister",
    about: "Removes a registered name before it expires.",
    segment: peerName,
    headers: { [TOKEN_HEADER]: { about: "The token of the registration.", field: token } },
    answers: { 204: { about: "The name is removed." } },
    fails: ["not-found", "refused"],
    answer: unregister,
  }),
  httpRoute("GET", "/search", {
    operation: "search",
    about:
      "Files with every word of `q` in their names, best match first. `old` means that the answer may be out of date.",
    hasTag: true,
    parameters: {
      q: parameter(
        text({ bytesMin: 0, bytesMax: QUERY_BYTES_MAX }),
        "Beginnings of words. An empty text finds all files.",
        "",
      ),
      exact: parameter(flag(), "Whether `q` is the whole name, with or without its folders.", false),
      limit: parameter(count({ min: 1, max: HITS_MAX }), "The most hits.", HITS),
      offset: parameter(count({ max: SEARCH_OFFSET_MAX }), "How many hits to skip.", 0),
    },
    answers: { 200: { about: "The hits.", field: HttpHits } },
    answer: (parts, asked) => {
      const { q, ...query } = asked.query;
      return search(parts, asked, { query: q, ...query });
    },
  }),
  httpRoute("GET", "/healthz", {
    operation: "healthz",
    about: "Whether the process is alive.",
    isOpen: true,
    answers: { 200: { about: "The process is alive.", field: Status } },
    answer: () => Promise.resolve({ body: OK }),
  }),
  httpRoute("GET", "/readyz", {
    operation: "readyz",
    about: "Whether answers are current. They are not while the other servers of this index cannot be reached.",
    isOpen: true,
    answers: { 200: { about: "Answers are current.", field: Status } },
    fails: ["busy"],
    answer: ({ index }) => {
      if (!index.isCurrent) throw new Failure("busy", "Answers may be out of date");
      return Promise.resolve({ body: OK });
    },
  }),
  httpRoute("GET", "/metrics", {
    operation: "metrics",
    about: "Numbers about the index, in the format of Prometheus.",
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
    answer: () => Promise.resolve({ body: describeApi() }),
  }),
];

/** The OpenAPI document of the index. */
export function describeApi(): JsonSchema {
  return openApi({
    title: "Recess index",
    description: "The peers, the files that each lists, and an address service. HEAD is answered wherever GET is.",
    routes: HTTP_ROUTES,
    schemas: HTTP_SCHEMAS,
  });
}
