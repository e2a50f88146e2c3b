/**
 * Classroom E's address service: a program registers a name and its address for a time. Called by
 * routes.ts.
 *
 * As everywhere, the index believes only the address that it observes, so no program registers
 * another machine.
 * @module
 */

import { type Address, isAddress, isLoopback } from "../../core/address.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { REGISTRATION_SECONDS } from "../../core/limits.ts";
import { checkPeerName, peerNameKey } from "../../core/peer_name.ts";
import { hostOf } from "../../http/access.ts";
import type { Asked, HttpAnswer } from "../../http/route.ts";
import type { ValueOf } from "../../protocol/field.ts";
import { hostFor } from "../peer_ref.ts";
import type { IndexHttpParts } from "./parts.ts";
import type { Registering } from "./shapes.ts";

/** The header with the token of a registration, in a request that has no body. */
export const TOKEN_HEADER = "X-Recess-Token";

/**
 * Registers a name, or renews it.
 *
 * @throws {Failure} "bad-name", "name-taken", "refused", "busy".
 */
export async function register(
  { index, journal, registrars }: IndexHttpParts,
  asked: Asked,
  { token, ttl = REGISTRATION_SECONDS, ...wanted }: ValueOf<typeof Registering>,
): Promise<HttpAnswer> {
  const name = checkPeerName(wanted.name);
  if (isAddress(peerNameKey(name))) throw new Failure("bad-name", `Cannot use "${name}" as a name: it is an address`);
  const { port } = wanted;
  const host = registeredHost(asked.remote, wanted.host);
  const ttlMs = ttl * 1000;
  const registered = await registrars.register(peerNameKey(name), asked.remote.host, ttlMs, {
    register: async () => await index.register({ name, host, port, ttlMs }, token).catch(explain),
    remove: async (key, itsToken) => {
      await index.unregister(key, itsToken).catch((thrown) => {
        if (!failedWith(thrown, "not-found")) throw thrown;
      });
      journal({ event: "left", peer: key, why: "made room for a name of an address with fewer" });
    },
  });
  const body = { name, host: hostFor(asked, host), port, ttl, token: registered };
  if (registered === token) return { status: 200, body };
  journal({ event: "registered", peer: name, from: { host, port }, seconds: ttl });
  return { status: 201, body, headers: { location: `/peers/${encodeURIComponent(name)}` } };
}

/**
 * Removes a registration.
 *
 * @throws {Failure} "not-found"; "refused" without the token of the registration; "busy".
 */
export async function unregister({ index, journal, registrars }: IndexHttpParts, asked: Asked): Promise<HttpAnswer> {
  const { segment: name, headers } = asked;
  const token = headers.get(TOKEN_HEADER);
  if (token === null) {
    throw new Failure("refused", `Cannot remove "${name}" without its token`, {
      hint: `send the token of the registration in the header ${TOKEN_HEADER}`,
    });
  }
  await index.unregister(name, token);
  registrars.forget(peerNameKey(name));
  journal({ event: "left", peer: name, why: "its registration was removed" });
  return { status: 204, body: undefined };
}

/**
 * Decides at which host a name is registered: the observed one. A program on the index's machine
 * may choose any loopback address.
 *
 * @throws {Failure} "refused" when another host is claimed.
 */
export function registeredHost(remote: Address, claimed: string | undefined): string {
  if (claimed === undefined) return remote.host;
  const host = hostOf(claimed.includes(":") ? `[${claimed}]` : claimed);
  const isOurs = host === remote.host || (host !== undefined && isLoopback(host) && isLoopback(remote.host));
  if (host !== undefined && isOurs) return host;
  throw new Failure("refused", "Cannot register another machine's address", {
    hint: `the index sees you at ${remote.host}: leave host out`,
  });
}

/** Gives the failure of a taken name a hint for a client that has no command line. */
function explain(thrown: unknown): never {
  if (!failedWith(thrown, "name-taken")) throw thrown;
  const { suggestion } = thrown;
  const hint = suggestion === undefined ? "choose another name" : `choose another name; "${suggestion}" is free`;
  throw thrown.with({ hint });
}
