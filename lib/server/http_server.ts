/**
 * Listens for HTTP. The only place that calls `Deno.serve`. Called by server.ts.
 * @module
 */

import type { Address } from "../core/address.ts";
import { type Clock, settlesWithin, systemClock } from "../core/clock.ts";
import { Failure } from "../core/failure.ts";
import { CLOSE_WAIT_MS } from "../core/limits.ts";
import type { SearchIndex } from "../index/search_index.ts";
import type { RoomKey } from "../net/room_key.ts";
import { HttpAccess } from "./http_access.ts";
import { HttpApi } from "./http_api.ts";
import { failureResponse } from "./http_failure.ts";
import { HttpGate, type HttpGateOptions } from "./http_gate.ts";
import type { IndexMetrics, ServerState } from "./index_metrics.ts";
import type { Journal } from "./journal.ts";
import { RATES, type Rates } from "./rates.ts";
import { Registrars } from "./registrars.ts";

/** What it serves. */
export interface HttpServerOptions extends Omit<HttpGateOptions, "inner"> {
  readonly index: SearchIndex;
  readonly journal: Journal;
  readonly metrics: IndexMetrics;
  readonly state: () => ServerState;
  /** The room's key, if it has one. Asked for each time, since it may be replaced. */
  readonly roomKey?: () => RoomKey | undefined;
  readonly rates?: Rates;
  readonly clock?: Clock;
}

/** A listening HTTP server. */
export class HttpServer implements AsyncDisposable {
  readonly #registrars = new Registrars();
  readonly #serving: Deno.HttpServer<Deno.NetAddr>;
  #gate: HttpGate | undefined;

  private constructor(address: Address, options: HttpServerOptions) {
    const { clock = systemClock, roomKey, rates = RATES } = options;
    const access = new HttpAccess({
      clock,
      perSecond: rates.http,
      hostNames: [address.host],
      ...(roomKey === undefined ? {} : { roomKey }),
    });
    const api = new HttpApi({ ...options, clock, access, registrars: this.#registrars });
    this.#serving = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request, info) => {
      const remote = this.#gate?.remoteOf(info.remoteAddr.port);
      if (remote !== undefined) return api.answer(request, remote);
      return failureResponse(
        new Failure("refused", "Cannot answer past the gate", { hint: "use the port of the index" }),
      );
    });
  }

  /** Starts listening; port 0 takes any free one. Fails: "unreachable" when the address cannot be had. */
  static async listen(address: Address, options: HttpServerOptions): Promise<HttpServer> {
    const server = new HttpServer(address, options);
    const { hostname: host, port } = server.#serving.addr;
    try {
      server.#gate = await HttpGate.listen(address, { ...options, inner: { host, port } });
      return server;
    } catch (thrown) {
      await server[Symbol.asyncDispose]();
      const failure = Failure.from(thrown, "unreachable", "Cannot listen");
      throw new Failure(failure.code, failure.message, {
        cause: thrown,
        hint: "choose another port with --http-port, 0 for any free one, or say --no-http",
      });
    }
  }

  /** Where it listens. */
  get address(): Address {
    return this.#gate?.address ?? { host: this.#serving.addr.hostname, port: this.#serving.addr.port };
  }

  /** Takes no more requests, and ends when those under way are answered, or do not end in time. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#gate?.stop();
    this.#registrars[Symbol.dispose]();
    await settlesWithin(CLOSE_WAIT_MS, this.#serving.shutdown());
    await this.#gate?.[Symbol.asyncDispose]();
  }
}
