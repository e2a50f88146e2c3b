/**
 * Classroom E's address service: a program registers a name and where it is reached, for a time. Called by http_routes.ts.
 *
 * As everywhere, the index believes the address that it observes, so nobody registers somebody else's machine.
 * @module
 */

import { type Address, isAddress, isLoopback } from "../core/address.ts";
import { failedWith, Failure } from "../core/failure.ts";
import { REGISTRATION_SECONDS } from "../core/limits.ts";
import { checkPeerName, peerNameKey } from "../core/peer_name.ts";
import type { ValueOf } from "../protocol/field.ts";
import { hostOf } from "./http_access.ts";
import { hostFor } from "./http_lists.ts";
import { type Asked, type HttpAnswer, type HttpParts, TOKEN_HEADER } from "./http_route.ts";
import type { Registering } from "./http_shapes.ts";

/** Registers a name, or renews it. Fails: "bad-name", "name-taken", "refused", "busy". */
export async function register(
  { index, journal, registrars }: HttpParts,
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
  const renewed = registered === token;
  if (!renewed) journal({ event: "registered", peer: name, from: { host, port }, seconds: ttl });
  return {
    status: renewed ? 200 : 201,
    body: { name, host: hostFor(asked, host), port, ttl, token: registered },
    headers: renewed ? {} : { location: `/peers/${encodeURIComponent(name)}` },
  };
}

/** Removes a registration. Fails: "not-found", "refused" also without a token, "busy". */
export async function unregister({ index, journal, registrars }: HttpParts, asked: Asked): Promise<HttpAnswer> {
  const { name, token } = asked;
  if (token === undefined) {
    throw new Failure("refused", `Cannot remove "${name}" without its token`, {
      hint: `send the header ${TOKEN_HEADER} with what registering answered`,
    });
  }
  await index.unregister(name, token);
  registrars.forget(peerNameKey(name));
  journal({ event: "left", peer: name, why: "its registration was removed" });
  return { status: 204, body: undefined };
}

/** Where a name is registered: at the host that is observed. On this machine, any of its own addresses will do. Fails: "refused". */
export function registeredHost(remote: Address, claimed: string | undefined): string {
  if (claimed === undefined) return remote.host;
  const host = hostOf(claimed.includes(":") ? `[${claimed}]` : claimed);
  const isOurs = host === remote.host || (host !== undefined && isLoopback(host) && isLoopback(remote.host));
  if (host !== undefined && isOurs) return host;
  throw new Failure("refused", "Cannot register another machine's address", {
    hint: `you are seen at ${remote.host}: leave host out`,
  });
}

/** A taken name in the words of somebody who has no command line here. */
function explain(thrown: unknown): never {
  if (!failedWith(thrown, "name-taken")) throw thrown;
  const { message, suggestion } = thrown;
  throw new Failure("name-taken", message, {
    cause: thrown,
    hint: suggestion === undefined ? "choose another name" : `choose another name; "${suggestion}" is free`,
    ...(suggestion === undefined ? {} : { suggestion }),
  });
}
