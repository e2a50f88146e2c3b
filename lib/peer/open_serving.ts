/**
 * Opens the serving side of a peer: everything that other peers may ask of it, and the listener for
 * them. Called by peer.ts.
 * @module
 */

import { PEER_CONNECTIONS_MAX, PEER_IDLE_MS_MAX, UPLOAD_SLOTS } from "../core/limits.ts";
import { type AnswerOptions, answerRequests } from "../net/answerer.ts";
import { WrongGuesses } from "../net/wrong_guesses.ts";
import { Listener } from "../net/listener.ts";
import type { Share } from "../store/share/share.ts";
import { Partials } from "../transfer/content/partials.ts";
import type { Finding } from "./find/finding.ts";
import { Acquaintances } from "./find/who.ts";
import type { Home } from "./folder/home.ts";
import { Inbox, type InboxEvent } from "./inbox/inbox.ts";
import { inboxRoutes } from "./inbox/inbox_routes.ts";
import type { PeerSetup } from "./peer_options.ts";
import { Pictures } from "./pictures/pictures.ts";
import { Blocking } from "./serve/blocking.ts";
import { Consent } from "./serve/consent.ts";
import { serveDialect } from "./serve/dialect_host.ts";
import { Host } from "./serve/host.ts";
import { Uploads } from "./serve/uploads.ts";
import { type Visit, visitRoutes, Visits } from "./serve/visit.ts";
import type { IndexSession } from "./session/index_session.ts";
import { Mailbox } from "./talk/mailbox.ts";
import { Outbox } from "./talk/outbox.ts";

/** What serving needs. */
export interface ServingParts {
  readonly home: Home;
  readonly share: Share;
  readonly session: IndexSession;
  readonly finding: Finding;
}

/** The serving side of a peer, until it is disposed of. */
export interface Serving extends AsyncDisposable {
  readonly inbox: Inbox;
  readonly consent: Consent;
  readonly blocking: Blocking;
  readonly pictures: Pictures;
  readonly outbox: Outbox;
  /** Unfinished downloads that are served to others already. */
  readonly partials: Partials;
  readonly listener: Listener;
}

/**
 * Opens it. From then on other peers are answered.
 *
 * @throws {Failure} When the address to listen at cannot be used. What was opened until then is
 * closed.
 */
export async function openServing(parts: ServingParts, setup: PeerSetup): Promise<Serving> {
  const { home: { folder, state, reserve, identity, name }, share, session } = parts;
  const { queries, contacts } = parts.finding;
  const { clock, random, up, down, onEvent, onPicture, routeDatagrams, slots = UPLOAD_SLOTS } = setup;
  await using stack = new AsyncDisposableStack();
  const consent = consentOf(parts.home, setup);
  const acquaintances = new Acquaintances({ state, queries });
  const onInboxEvent = inboxEvents(parts.home, setup);
  const inbox = stack.use(
    new Inbox({ options: setup.inbox, folder, share, state, reserve, pace: down, onEvent: onInboxEvent }),
  );
  const pictures = new Pictures({ onPicture, routeDatagrams, folder, inbox, contacts, onEvent, clock, up, down });
  const mailbox = new Mailbox({ state, clock, acquaintances, onEvent });
  const self = (): string => name.current;
  const outbox = stack.use(new Outbox({ state, clock, random, self, queries, contacts, onEvent }));
  const partials = new Partials((partial, isHere) => session.announce(partial, isHere));
  const uploads = new Uploads({ slots, pace: up });
  const host = new Host({ share, partials, clock, uploads });
  const visits = new Visits({ consent, acquaintances, onLeft: (id) => host.left(id) });
  const routes = visitRoutes(...host.routes(), ...pictures.routes(), ...mailbox.routes(), ...inboxRoutes(inbox));
  const answering = answeringAs(parts.home, setup);
  const listener = stack.use(
    await Listener.listen(setup.listen, {
      connectionsMax: PEER_CONNECTIONS_MAX,
      identity: setup.plain ? undefined : identity,
      serve: async (connection) => {
        if (setup.plain && await serveDialect(connection, { share, consent, uploads }, setup.onBug)) return;
        using visit = visits.begin(connection);
        await answerRequests(connection, routes, visit, answering);
      },
    }),
  );
  // Closed before the listener, so that no peer waits there for a picture that is not accepted any
  // more.
  stack.use(pictures);
  const blocking = new Blocking({ state, queries, self: identity.id, onBlocked: (id) => visits.endAllOf(id) });
  const closing = stack.move();
  const close = (): Promise<void> => closing.disposeAsync();
  return { inbox, consent, blocking, pictures, outbox, partials, listener, [Symbol.asyncDispose]: close };
}

function consentOf({ state }: Home, { consent: mode = "open", clock, onEvent }: PeerSetup): Consent {
  return new Consent({
    mode,
    clock,
    onEvent,
    always: {
      has: (id, kind) => state.people.isAllowed(id, kind),
      add: (id, kind) => state.people.allow(id, kind),
    },
  });
}

/** Reports what happens in the inbox, with what it says about full disks. */
function inboxEvents({ folder, fullDisks, state }: Home, { onEvent }: PeerSetup): (event: InboxEvent) => void {
  return (event) => {
    // A file that was complete before the disk was full says nothing about the disk now.
    if (event.event === "received" && state.failure === undefined) fullDisks.noteRoom(folder.path);
    onEvent(event.event === "inbox-full" ? fullDisks.marked(folder.path, event) : event);
  };
}

/** How the connections of other peers are answered. */
function answeringAs({ name }: Home, { clock, onBug, room }: PeerSetup): AnswerOptions<Visit> {
  const guesses = new WrongGuesses(clock);
  return {
    name: () => name.current,
    onGreeted: (visit, claimed) => visit.claimedName = claimed,
    onProven: (visit, caller) => visit.caller = caller.id,
    onBug,
    roomKey: room?.key,
    beforeProof: (from) => guesses.wait(from),
    onWrongGuess: (from) => guesses.note(from),
    idleMs: PEER_IDLE_MS_MAX,
  };
}
