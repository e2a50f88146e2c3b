/**
 * Serves the HTTP API of an index: hands its routes, its journal and its metrics to lib/http.
 * Called by server.ts.
 * @module
 */

import { type Address, formatAddress } from "../../core/address.ts";
import { type Clock, systemClock } from "../../core/flow/clock.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { HttpAccess } from "../../http/access.ts";
import { HttpApi } from "../../http/api.ts";
import { HttpServer } from "../../http/server.ts";
import type { RoomKey } from "../../net/room_key.ts";
import { bugEvent } from "../journal.ts";
import { RATES, type Rates } from "../rates.ts";
import type { IndexHttpParts } from "./parts.ts";
import { Registrars } from "./registrars.ts";
import { HTTP_ROUTES } from "./routes.ts";

/** What is served. */
export interface IndexHttpOptions extends Omit<IndexHttpParts, "registrars"> {
  /** The room's key, if the room has one. It is read for each request, since it may be replaced. */
  readonly roomKey?: (() => RoomKey | undefined) | undefined;
  readonly rates?: Rates | undefined;
  readonly clock?: Clock | undefined;
}

/** What a test may choose beside the options of an index. */
export interface IndexApiOptions extends IndexHttpOptions {
  readonly hostNames: readonly string[];
  readonly registrars: Registrars;
}

/** A listening HTTP side of an index. */
export class IndexHttp implements AsyncDisposable {
  readonly #server: HttpServer;
  readonly #registrars: Registrars;

  private constructor(server: HttpServer, registrars: Registrars) {
    this.#server = server;
    this.#registrars = registrars;
  }

  /**
   * Starts to listen.
   *
   * @param address Port 0 is any free one.
   * @throws {Failure} "unreachable" when this machine cannot listen there.
   */
  static async listen(address: Address, options: IndexHttpOptions): Promise<IndexHttp> {
    const registrars = new Registrars();
    const api = indexApi({ ...options, hostNames: [address.host], registrars });
    try {
      const server = await HttpServer.listen(address, {
        answer: (request, remote) => api.answer(request, remote),
        onBug: (thrown) => options.journal(bugEvent(thrown)),
      });
      return new IndexHttp(server, registrars);
    } catch (thrown) {
      registrars[Symbol.dispose]();
      const failure = Failure.from(thrown, "unreachable", "Cannot listen");
      throw failure.with({
        hint: "choose another port with --http-port (0 is any free one), or turn HTTP off with --no-http",
      });
    }
  }

  /** Where it listens. */
  get address(): Address {
    return this.#server.address;
  }

  /**
   * Accepts no more connections, waits a little for the requests that are being answered, and
   * closes all connections.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    this.#registrars[Symbol.dispose]();
  }
}

/** Makes the API of an index, without a network. */
export function indexApi(options: IndexApiOptions): HttpApi<IndexHttpParts> {
  const { clock = systemClock, rates = RATES, roomKey, hostNames, journal, metrics } = options;
  const access = new HttpAccess({
    clock,
    perSecond: rates.http,
    roomKey,
    hostNames,
    hostHint: "use the index's IP address, or start the index with --http-host and this name",
  });
  return new HttpApi({
    routes: HTTP_ROUTES,
    parts: options,
    clock,
    access,
    onAnswered: (operation, ms) => metrics.answeredHttp(operation, ms),
    onRefused: (failure, remote) => {
      metrics.refused(failure.code);
      if (!failedWith(failure, "no-member")) return;
      journal({ event: "refused", peer: formatAddress(remote), code: failure.code, message: failure.message });
    },
    onBug: (thrown) => journal(bugEvent(thrown)),
  });
}
