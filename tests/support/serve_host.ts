/**
 * The serving half of a peer over a real socket, without the rest of the peer, and a caller with a
 * key.
 * @module
 */

import { systemClock } from "../../lib/core/flow/clock.ts";
import type { Address } from "../../lib/core/address.ts";
import { answerRequests, routes } from "../../lib/net/answerer.ts";
import { greet } from "../../lib/net/caller.ts";
import type { Connection } from "../../lib/net/connection.ts";
import { dial } from "../../lib/net/dial.ts";
import { Identity } from "../../lib/net/identity.ts";
import { Listener } from "../../lib/net/listener.ts";
import { Acquaintances } from "../../lib/peer/find/who.ts";
import { Consent } from "../../lib/peer/serve/consent.ts";
import type { Host } from "../../lib/peer/serve/host.ts";
import { Visit } from "../../lib/peer/serve/visit.ts";
import type { State } from "../../lib/store/state/state.ts";

/** The consent of an owner who allows everything, or is asked. */
export function consentOf(mode: "open" | "ask", onEvent: () => void = () => {}): Consent {
  return new Consent({ mode, clock: systemClock, onEvent, always: { has: () => false, add() {} } });
}

/** Answers the requests about files. */
export async function serveHost(host: Host, state: State, consent: Consent = consentOf("open")): Promise<Listener> {
  const acquaintances = new Acquaintances({ state, queries: { nameOf: () => Promise.resolve(undefined) } });
  const answers = routes(...host.routes());
  return await Listener.listen({ host: "127.0.0.1", port: 0 }, {
    connectionsMax: 10,
    serve: async (connection) => {
      using visit = new Visit(connection, { consent, acquaintances }, () => {});
      await answerRequests(connection, answers, visit, {
        name: () => "ana",
        idleMs: 20_000,
        onProven: (visitor, { id }) => void (visitor.caller = id),
      });
    },
  });
}

/** Connects with a new key. */
export async function connectTo(address: Address): Promise<Connection> {
  const connection = await dial(address);
  await greet(connection, { identity: await Identity.make() });
  return connection;
}
