/**
 * The HTTP side of an index in this process, asked without a network.
 * @module
 */

import type { Address } from "../../lib/core/address.ts";
import type { Clock } from "../../lib/core/flow/clock.ts";
import { LocalIndex } from "../../lib/index/local/local_index.ts";
import type { SearchIndex } from "../../lib/index/search_index.ts";
import type { RoomKey } from "../../lib/net/room_key.ts";
import { indexApi } from "../../lib/server/http/index_http.ts";
import { Registrars } from "../../lib/server/http/registrars.ts";
import { describeApi, HTTP_ROUTES } from "../../lib/server/http/routes.ts";
import { IndexMetrics } from "../../lib/server/index_metrics.ts";
import type { JournalEvent } from "../../lib/server/journal.ts";
import { SESSION_ROUTES } from "../../lib/server/session_routes.ts";
import { Documented } from "./documented.ts";

/** The URL of the index, as its clients write it. */
export const BASE = "http://10.0.0.1:8031";
/** The default client. */
export const ASKER: Address = { host: "10.0.0.5", port: 50_000 };

const DOCUMENTED = new Documented(describeApi());

/** What a test may choose. */
export interface ApiOptions {
  readonly index?: SearchIndex;
  readonly roomKey?: RoomKey;
  /** The most names that are registered at once. */
  readonly namesMax?: number;
}

/** An HTTP API with its index. */
export class TestApi implements AsyncDisposable {
  readonly index: SearchIndex;
  readonly events: JournalEvent[] = [];
  /** The pauses that the API made, in milliseconds. */
  readonly pauses: number[] = [];
  readonly #api: ReturnType<typeof indexApi>;
  readonly #registrars: Registrars;

  constructor({ index = new LocalIndex(), roomKey, namesMax }: ApiOptions = {}) {
    this.#registrars = new Registrars(namesMax);
    this.index = index;
    const clock: Clock = {
      now: () => performance.now(),
      delay: (ms) => {
        this.pauses.push(ms);
        return Promise.resolve();
      },
    };
    this.#api = indexApi({
      index,
      clock,
      roomKey: () => roomKey,
      hostNames: ["index.example.edu"],
      registrars: this.#registrars,
      journal: (event) => this.events.push(event),
      metrics: new IndexMetrics({
        methods: SESSION_ROUTES.keys(),
        operations: HTTP_ROUTES.map((each) => each.operation),
      }),
      state: () => ({ joined: 0, open: 0, accepted: 0, refused: 0, bytesRead: 0, bytesWritten: 0 }),
    });
  }

  /** Asks for a path. Throws when the OpenAPI document does not have the answer. */
  async ask(path: string, init: RequestInit = {}, from = ASKER): Promise<Response> {
    const headers = new Headers(init.headers);
    if (!headers.has("host")) headers.set("host", new URL(BASE).host);
    const response = await this.#api.answer(new Request(BASE + path, { ...init, headers }), from);
    await DOCUMENTED.check(init.method ?? "GET", path, response);
    return response;
  }

  /** Registers something. */
  register(body: unknown, from = ASKER): Promise<Response> {
    return this.ask("/peers", { method: "POST", body: JSON.stringify(body), headers: JSON_TYPE }, from);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#registrars[Symbol.dispose]();
    await this.index[Symbol.asyncDispose]();
  }
}

/** The header of a body that is JSON. */
export const JSON_TYPE = { "content-type": "application/json" };
