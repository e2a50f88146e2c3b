/**
 * Pictures that peers show each other. Receives pictures over UDP, checks them and reports them,
 * and stores them when there is an inbox. Called by other peers through its routes, and by the
 * shell to show a picture to another peer.
 * @module
 */

import type { Address } from "../../core/address.ts";
import { Failure } from "../../core/failure.ts";
import { checkImage } from "../../pictures/image_check.ts";
import { imageName, type ImageType } from "../../core/image_type.ts";
import { PICTURES_AT_ONCE_MAX, PICTURES_PER_PEER_MAX } from "../../core/limits.ts";
import type { Pace } from "../../core/flow/pace.ts";
import { Places } from "../../core/flow/places.ts";
import { printable } from "../../core/printable.ts";
import { type Answer, type Route, route } from "../../net/answerer.ts";
import type { DataOf, ReplyOf } from "../../protocol/message.ts";
import { Show, Shown } from "../../protocol/show.ts";
import { receivedName } from "../../store/files/received_name.ts";
import { PictureOnItsWay } from "../../pictures/take_picture.ts";
import type { Visit } from "../serve/visit.ts";
import type { Inbox, ReservedPicture } from "../inbox/inbox.ts";
import { type ShownPicture, type ShowParts, showPicture } from "./show_picture.ts";
import type { KeyStanding, Who } from "../find/who.ts";

/** What pictures report. */
export type PictureEvent =
  /**
   * A picture has arrived. `path` is where it is stored in the shared folder; undefined when it is
   * not.
   */
  | {
    readonly event: "picture";
    readonly peer: string;
    readonly id: string;
    readonly key: KeyStanding;
    readonly name: string;
    readonly path: string | undefined;
    readonly size: number;
    readonly type: ImageType;
  }
  | (Pick<Who, "id" | "key"> & {
    readonly event: "picture-lost";
    readonly peer: string;
    readonly name: string;
    readonly why: string;
  });

/** Options about pictures for a peer that is started. */
export interface PicturesOptions {
  /** Called with the picture itself, after the event, for a terminal that can show it. */
  readonly onPicture?: ((bytes: Uint8Array, type: ImageType) => void) | undefined;
  /**
   * Where datagrams for an address are sent. Default: to that address. Tests put a bad network in
   * between.
   */
  readonly routeDatagrams?: ((to: Address) => Address) | undefined;
}

/** What pictures need. */
export interface PictureParts extends PicturesOptions, ShowParts {
  /** Where pictures are stored, if others may put files there. */
  readonly inbox: Inbox;
  /** The pace of all that is received. */
  readonly down: Pace | undefined;
  readonly onEvent: (event: PictureEvent) => void;
}

/** A picture that another peer is sending. */
interface Incoming {
  readonly caller: string;
  /** Aborted to make room for another picture. */
  readonly over: AbortController;
  /** Resolves when the picture has been reported; rejects with the reason why it was not. */
  stored: Promise<void>;
}

/** The pictures of one peer. */
export class Pictures implements AsyncDisposable {
  readonly #parts: PictureParts;
  readonly #incoming = new Places<Incoming>({ total: PICTURES_AT_ONCE_MAX, first: "oldest" });
  readonly #byVisit = new WeakMap<Visit, Incoming>();
  readonly #closing = new AbortController();

  constructor(parts: PictureParts) {
    this.#parts = parts;
  }

  /** Shows a peer a picture; see {@linkcode showPicture}. */
  async show(peer: string, path: string, options: { onAsking?: () => void } = {}): Promise<ShownPicture> {
    return await showPicture(this.#parts, peer, path, options);
  }

  /** The requests about pictures that other peers may send. */
  routes(): readonly Route<Visit>[] {
    return [
      route(Show, async (visit: Visit, wish): Promise<Answer<ReplyOf<typeof Show>>> => {
        return { data: await this.#agree(visit, wish) };
      }),
      route(Shown, async (visit: Visit): Promise<Answer<ReplyOf<typeof Shown>>> => {
        await this.#stored(visit);
        return { data: {} };
      }),
    ];
  }

  /**
   * Agrees to receive a picture, and opens a port for it.
   *
   * @throws {Failure} "refused", "busy", "bad-name".
   */
  async #agree(visit: Visit, wish: DataOf<typeof Show>): Promise<ReplyOf<typeof Show>> {
    const { size, type, sha256: root } = wish;
    const name = receivedName(imageName(wish.name.split("/").at(-1) ?? "", type));
    const before = this.#byVisit.get(visit);
    if (before !== undefined && this.#incoming.has(before)) {
      throw new Failure("busy", "Cannot accept a second picture before the first has arrived");
    }
    await visit.allow({ kind: "picture", name, root, size });
    const incoming = this.#reserve(visit);
    using held = new DisposableStack();
    try {
      const { clock, down, inbox } = this.#parts;
      const { connection } = visit;
      const who = await visit.who();
      const reserved = await inbox.reservePicture({ who, connection }, { ...wish, name });
      if (reserved !== undefined) held.use(reserved);
      const { local, remote } = connection;
      const coming = held.use(await PictureOnItsWay.open({ size, at: local, from: remote.host, clock, pace: down }));
      const all = held.move();
      const signal = AbortSignal.any([this.#closing.signal, incoming.over.signal]);
      incoming.stored = this.#store(coming, reserved, { ...wish, name, who }, signal).finally(() => {
        all[Symbol.dispose]();
        this.#incoming.leave(incoming);
      });
      // The answer to SHOWN reports the failure.
      incoming.stored.catch(() => {});
      this.#byVisit.set(visit, incoming);
      return { port: coming.port, token: coming.token.toHex(), key: coming.key.toHex() };
    } catch (thrown) {
      this.#incoming.leave(incoming);
      throw thrown;
    }
  }

  /**
   * Resolves when the picture that this visit announced has arrived.
   *
   * @throws {Failure} The reason why it has not; "malformed" when the visit announced none.
   */
  async #stored(visit: Visit): Promise<void> {
    const incoming = this.#byVisit.get(visit);
    if (incoming === undefined) throw new Failure("malformed", "There was no SHOW on this connection");
    await incoming.stored;
  }

  /** Cancels the pictures that are arriving. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Failure("cancelled", "Cannot receive the picture: this peer is closing"));
    await Promise.allSettled(Array.from(this.#incoming.items(), ({ stored }) => stored));
  }

  /**
   * Reserves a place for a picture.
   *
   * @throws {Failure} "busy" when there is none.
   */
  #reserve({ caller, connection: { remote } }: Visit): Incoming {
    const incoming = { caller, over: new AbortController(), stored: Promise.resolve() };
    const ofCaller = this.#incoming.items().filter((each) => each.caller === caller).toArray().length;
    const entered = ofCaller < PICTURES_PER_PEER_MAX &&
      this.#incoming.enter(incoming, { host: remote.host, key: caller }, this.#parts.clock.now());
    if (entered === false || !entered.given) {
      throw new Failure("busy", "Cannot accept the picture: others are arriving now");
    }
    entered.displaced?.over.abort(
      new Failure("busy", "Cannot receive the picture: it had to make room for one of another peer"),
    );
    return incoming;
  }

  /** Waits for a picture, checks it, stores it when there is an inbox, and reports it. */
  async #store(
    coming: PictureOnItsWay,
    reserved: ReservedPicture | undefined,
    wish: DataOf<typeof Show> & { readonly who: Who },
    signal: AbortSignal,
  ): Promise<void> {
    const { onEvent, onPicture } = this.#parts;
    const { name, size, type, sha256 } = wish;
    const { name: peer, id, key } = wish.who;
    try {
      const bytes = await coming.whole(signal);
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
      if (digest !== sha256 || checkImage(bytes) !== type) {
        throw new Failure("corrupt", `Cannot accept "${printable(name)}": it is not the picture that was announced`, {
          hint: "show it again",
        });
      }
      onEvent({ event: "picture", peer, id, key, name, path: reserved?.store(bytes), size, type });
      onPicture?.(bytes, type);
    } catch (thrown) {
      const failure = Failure.from(thrown, "internal", `Cannot accept "${printable(name)}"`);
      onEvent({ event: "picture-lost", peer, id, key, name, why: failure.message });
      throw failure;
    }
  }
}
