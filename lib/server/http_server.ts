/**
 * Listens for HTTP. The only place that calls `Deno.serve`. Called by server.ts.
 * @module
 */

import { type Address, addressOf, formatAddress } from "../core/address.ts";
import { type Clock, settlesWithin, systemClock } from "../core/clock.ts";
import { Failure } from "../core/failure.ts";
import { CLOSE_WAIT_MS } from "../core/limits.ts";
import type { SearchIndex } from "../index/search_index.ts";
import type { RoomKey } from "../net/room_key.ts";
import { HttpAccess } from "./http_access.ts";
import { HttpApi } from "./http_api.ts";
import type { IndexMetrics, ServerState } from "./index_metrics.ts";
import type { Journal } from "./journal.ts";
import { Registrars } from "./registrars.ts";

/** What it serves. */
export interface HttpServerOptions {
  readonly index: SearchIndex;
  readonly journal: Journal;
  readonly metrics: IndexMetrics;
  readonly state: () => ServerState;
  readonly roomKey?: () => RoomKey | undefined;
  readonly clock?: Clock;
}

type Serving = Deno.HttpServer<Deno.NetAddr>;

/** A listening HTTP server. */
export class HttpServer implements AsyncDisposable {
  readonly address: Address;
  readonly #serving: readonly Serving[];
  readonly #registrars: Registrars;

  private constructor(address: Address, serving: readonly Serving[], registrars: Registrars) {
    this.address = address;
    this.#serving = serving;
    this.#registrars = registrars;
  }

  /** Starts listening; port 0 takes any free one. Fails: "unreachable" when the address cannot be had. */
  static listen(address: Address, options: HttpServerOptions): HttpServer {
    const { clock = systemClock, roomKey } = options;
    const registrars = new Registrars();
    const access = new HttpAccess({ clock, hostNames: [address.host], ...(roomKey === undefined ? {} : { roomKey }) });
    const api = new HttpApi({ ...options, clock, access, registrars });
    const serving = serveAt(address, (request, info) => api.answer(request, addressOf(info.remoteAddr)));
    return new HttpServer({ host: address.host, port: serving[0]?.addr.port ?? address.port }, serving, registrars);
  }

  /** Takes no more requests, and ends when those under way are answered, or do not end in time. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#registrars[Symbol.dispose]();
    await settlesWithin(CLOSE_WAIT_MS, Promise.all(this.#serving.map((each) => each.shutdown())));
  }
}

/** Listens at one address; for every interface at both families, as the listener for peers does. */
function serveAt(address: Address, handle: Deno.ServeHandler<Deno.NetAddr>): Serving[] {
  const { host, port } = address;
  const serve = (hostname: string, at: number): Serving => {
    return Deno.serve({ hostname, port: at, onListen: () => {} }, handle);
  };
  try {
    if (host !== "0.0.0.0" && host !== "::") return [serve(host, port)];
    return serveAtBoth(serve, port);
  } catch (thrown) {
    const failure = Failure.from(thrown, "unreachable", `Cannot serve HTTP on ${formatAddress(address)}`);
    throw new Failure(failure.code, failure.message, {
      cause: thrown,
      hint: "choose another port with --http-port, 0 for any free one, or say --no-http",
    });
  }
}

/** Listens at every interface: with one socket where the system lets one take both families, else with two. */
function serveAtBoth(serve: (hostname: string, port: number) => Serving, port: number): Serving[] {
  let both: Serving;
  try {
    both = serve("::", port);
  } catch (thrown) {
    // There may be no other family.
    if (thrown instanceof Deno.errors.AddrInUse) throw thrown;
    return [serve("0.0.0.0", port)];
  }
  try {
    return [both, serve("0.0.0.0", both.addr.port)];
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.AddrInUse)) throw thrown;
    return [both];
  }
}
