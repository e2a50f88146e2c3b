/**
 * The pictures that others show this peer, and those that it shows: receives them over UDP, checks and shows them, and keeps them where there is an inbox. Called through host.ts
 * by what others ask, and by the shell.
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
import type { Visit } from "../serve/host.ts";
import type { HeldPicture, Inbox } from "../inbox/inbox.ts";
import { type ShownPicture, type ShowParts, showPicture } from "./show_picture.ts";
import type { KeyStanding, Who } from "../find/who.ts";

/** What pictures tell. */
export type PictureEvent =
  /** A picture is there: who shows it, and where it lies in the shared folder, if it is kept. */
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

/** What may be said about pictures when a peer is started. */
export interface PicturesOptions {
  /** Called after the event with the picture itself, for a terminal that can show it. */
  readonly onPicture?: ((bytes: Uint8Array, type: ImageType) => void) | undefined;
  /** Where datagrams for an address are sent; default: to that address. Tests put a bad network in between. */
  readonly routeDatagrams?: ((to: Address) => Address) | undefined;
}

/** What pictures need. */
export interface PictureParts extends PicturesOptions, ShowParts {
  /** Where pictures are kept. */
  readonly inbox: Inbox;
  /** The pace of all that is received. */
  readonly down: Pace | undefined;
  readonly onEvent: (event: PictureEvent) => void;
}

/** A picture that somebody shows us. */
interface Taking {
  readonly caller: string;
  /** Ends it, to make room for another. */
  readonly over: AbortController;
  /** Ends when it was shown, or fails with why not. */
  stored: Promise<void>;
}

/** The pictures of one peer. */
export class Pictures implements AsyncDisposable {
  readonly #parts: PictureParts;
  readonly #taking = new Places<Taking>({ total: PICTURES_AT_ONCE_MAX, first: "oldest" });
  readonly #byVisit = new WeakMap<Visit, Taking>();
  readonly #closing = new AbortController();

  constructor(parts: PictureParts) {
    this.#parts = parts;
  }

  /** Shows a peer a picture; see {@linkcode showPicture}. */
  async show(peer: string, path: string, options: { onAsking?: () => void } = {}): Promise<ShownPicture> {
    return await showPicture(this.#parts, peer, path, options);
  }

  /** Agrees to a picture, and opens a port for it. Fails: "refused", "busy", "bad-name". */
  async agree(visit: Visit, wish: DataOf<typeof Show>): Promise<ReplyOf<typeof Show>> {
    const { size, type, sha256: root } = wish;
    const name = receivedName(imageName(wish.name.split("/").at(-1) ?? "", type));
    const before = this.#byVisit.get(visit);
    if (before !== undefined && this.#taking.has(before)) {
      throw new Failure("busy", "Cannot take a second picture before the first");
    }
    await visit.allow({ kind: "picture", name, root, size });
    const taking = this.#reserve(visit);
    using held = new DisposableStack();
    try {
      const { clock, down, inbox } = this.#parts;
      const { connection } = visit;
      const who = await visit.who();
      const kept = await inbox.holdPicture({ who, connection }, { ...wish, name });
      if (kept !== undefined) held.use(kept);
      const { local, remote } = connection;
      const coming = held.use(await PictureOnItsWay.open({ size, at: local, from: remote.host, clock, pace: down }));
      const all = held.move();
      const signal = AbortSignal.any([this.#closing.signal, taking.over.signal]);
      taking.stored = this.#store(coming, kept, { ...wish, name, who }, signal).finally(() => {
        all[Symbol.dispose]();
        this.#release(taking);
      });
      // Whoever asks for it hears of it.
      taking.stored.catch(() => {});
      this.#byVisit.set(visit, taking);
      return { port: coming.port, token: coming.token.toHex(), key: coming.key.toHex() };
    } catch (thrown) {
      this.#release(taking);
      throw thrown;
    }
  }

  /** Resolves when the picture that was agreed on is stored. Fails: with why it is not; "malformed" when none was agreed on. */
  async stored(visit: Visit): Promise<void> {
    const taking = this.#byVisit.get(visit);
    if (taking === undefined) throw new Failure("malformed", "There was no SHOW on this connection");
    await taking.stored;
  }

  /** Gives up what is on its way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(Array.from(this.#taking.items(), ({ stored }) => stored));
  }

  /** Holds a place. Fails: "busy" when there is none. */
  #reserve({ caller, connection: { remote } }: Visit): Taking {
    const taking = { caller, over: new AbortController(), stored: Promise.resolve() };
    const ofCaller = this.#taking.items().filter((each) => each.caller === caller).toArray().length;
    const entered = ofCaller < PICTURES_PER_PEER_MAX &&
      this.#taking.enter(taking, { host: remote.host, key: caller }, this.#parts.clock.now());
    if (entered === false || !entered.given) {
      throw new Failure("busy", "Cannot take the picture: others are on their way");
    }
    entered.displaced?.over.abort(new Failure("busy", "It had to make room for a picture of another peer"));
    return taking;
  }

  #release(taking: Taking): void {
    this.#taking.leave(taking);
  }

  /** Waits for a picture, checks it, keeps it where there is an inbox, and tells. */
  async #store(
    coming: PictureOnItsWay,
    kept: HeldPicture | undefined,
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
        throw new Failure("corrupt", `Cannot take "${printable(name)}": it is not the picture that was agreed on`, {
          hint: "show it again",
        });
      }
      onEvent({ event: "picture", peer, id, key, name, path: kept?.keep(bytes), size, type });
      onPicture?.(bytes, type);
    } catch (thrown) {
      const failure = Failure.from(thrown, "internal", `Cannot take "${printable(name)}"`);
      onEvent({ event: "picture-lost", peer, id, key, name, why: failure.message });
      throw failure;
    }
  }
}

/** What peers may ask about pictures. */
export const PICTURE_ROUTES: readonly Route<Visit>[] = [
  route(Show, async (visit, wish): Promise<Answer<ReplyOf<typeof Show>>> => {
    return { data: await visit.host.parts.pictures.agree(visit, wish) };
  }),
  route(Shown, async (visit): Promise<Answer<ReplyOf<typeof Shown>>> => {
    await visit.host.parts.pictures.stored(visit);
    return { data: {} };
  }),
];
