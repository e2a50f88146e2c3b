/**
 * The answering side of a connection: reads requests one after the other and answers each, until the connection ends. Called by
 * lib/server for what peers ask an index and by lib/peer for what peers ask each other. This is the one place that catches,
 * replies and closes.
 * @module
 */

import { failedWith, Failure } from "../core/failure.ts";
import { CLOSE_WAIT_MS, HELLO_WAIT_MS, MALFORMED_LINES_MAX, PROVE_WAIT_MS } from "../core/limits.ts";
import { printable } from "../core/printable.ts";
import { PROTOCOL_VERSION, SOFTWARE } from "../core/version.ts";
import { encodeFailure, encodeReply, type Envelope } from "../protocol/envelope.ts";
import { Hello, HelloVersion, Prove } from "../protocol/hello.ts";
import type { Request } from "../protocol/message.ts";
import { joinBytes, writeAll } from "./byte_stream.ts";
import { makeNonce } from "./caller.ts";
import type { BodyWriter, Connection } from "./connection.ts";
import type { PublicIdentity } from "./identity.ts";
import { type Channel, checkProof } from "./proof.ts";
import type { RoomKey } from "./room_key.ts";

/** An answer: the reply's data, and the body that follows it. */
export interface Answer<R> {
  readonly data: R;
  readonly body?: Uint8Array | StreamedBody;
}

/** A body that is written as it comes. */
export interface StreamedBody {
  readonly bytes: number;
  readonly write: BodyWriter;
  /** Called when the answer has been sent, or could not be. */
  readonly release?: () => void;
}

/** An answer as it travels. */
interface EncodedAnswer {
  readonly line: Uint8Array;
  readonly write: BodyWriter | undefined;
  readonly release: () => void;
}

/** How one method is answered, in a context such as a session. */
export interface Route<Context> {
  readonly method: string;
  answer(context: Context, data: unknown, id: number): Promise<EncodedAnswer>;
}

/** What the answering side tells of itself and wants to be told; the same for all its connections, each of which has a context of its own. */
export interface AnswerOptions<Context> {
  /** The peer's name; an index has none. */
  readonly name?: () => string;
  /** Silence after which the connection of a caller that has proven who it is is closed. */
  readonly idleMs: number;
  /** Called with the name that the other side calls itself by, if it does; nothing proves it. */
  readonly onGreeted?: (context: Context, name: string | undefined) => void;
  /** Called with who has proven to call. */
  readonly onProven?: (context: Context, caller: PublicIdentity) => void;
  /** The room's key, which callers then have to prove. */
  readonly roomKey?: RoomKey | undefined;
  /** Called with the caller's host before a proof is looked at: guesses at the room key may have to wait. */
  readonly beforeProof?: (host: string) => Promise<void>;
  /** Called with the caller's host when the proof was a wrong guess. */
  readonly onWrongGuess?: (host: string) => void;
  /** Called with everything that arrives. */
  readonly onHeard?: (context: Context) => void;
  /** Called with the method of each request that is known here, once its answer is made or has failed. */
  readonly onAnswered?: (context: Context, method: string) => void;
  /** Called with what the other side is refused for. */
  readonly onRefused?: (failure: Failure) => void;
  /** Called with what is a bug of ours, not a fault of theirs. */
  readonly onBug?: ((thrown: unknown) => void) | undefined;
}

/** A body up to this size travels in one write with its line: half the calls for small files. */
const JOINED_BYTES_MAX = 64 * 1024;

/** Routes by method. */
export type Routes<Context> = ReadonlyMap<string, Route<Context>>;

/** One route. The data is checked before `answer` sees it. */
export function route<Context, D, R>(
  message: Request<D, R>,
  answer: (context: Context, data: D) => Promise<Answer<R>>,
): Route<Context> {
  return {
    method: message.method,
    async answer(context, data, id) {
      const { data: reply, body } = await answer(context, message.data.check(data, message.method));
      if (!(body instanceof Uint8Array)) {
        const release = body?.release ?? (() => {});
        return { line: encodeReply(message, reply, id, body?.bytes), write: body?.write, release };
      }
      const line = encodeReply(message, reply, id, body.length);
      if (body.length > JOINED_BYTES_MAX) return { line, write: (stream) => writeAll(stream, body), release: () => {} };
      return { line: joinBytes([line, body]), write: undefined, release: () => {} };
    },
  };
}

/** Gathers routes. */
export function routes<Context>(...all: Route<Context>[]): Routes<Context> {
  return new Map(all.map((each) => [each.method, each]));
}

/** Answers requests until the connection ends. Shape: why it ended, or null when the other side closed in good order. */
export async function answerRequests<Context>(
  connection: Connection,
  byMethod: Routes<Context>,
  context: Context,
  options: AnswerOptions<Context>,
): Promise<Failure | null> {
  let malformed = 0;
  let greeted = false;
  let proven = false;
  const called: Channel["called"] = options.name === undefined ? "index" : "peer";
  const channel = { asked: makeNonce(), asking: "", called, calledId: connection.calledId };
  try {
    while (true) {
      let id = 0;
      try {
        const envelope = await connection.receive({
          waitMs: proven ? options.idleMs : greeted ? PROVE_WAIT_MS : HELLO_WAIT_MS,
        });
        if (envelope === null) return null;
        options.onHeard?.(context);
        if (envelope.kind !== "request") {
          throw new Failure("malformed", `Got a ${envelope.kind} where a request was expected`);
        }
        id = envelope.id;
        if (envelope.method === Hello.method) {
          // Otherwise a stranger could stay for ever, one HELLO after the other.
          if (greeted && !proven) throw new Failure("unproven", "Prove who you are before you say HELLO again");
          refuseOtherVersions(HelloVersion.check(envelope.data, Hello.method).version);
          const theirs = Hello.data.check(envelope.data, Hello.method);
          channel.asking = theirs.nonce;
          options.onGreeted?.(context, theirs.name);
          await connection.send(greet(channel.asked, envelope.id, options));
          connection.trust();
          greeted = true;
          continue;
        }
        if (!greeted) throw new Failure("malformed", "Say HELLO first");
        if (envelope.method === Prove.method) {
          const caller = await believe(envelope, channel, connection.remote.host, options);
          connection.known(caller.id);
          options.onProven?.(context, caller);
          proven = true;
          await connection.send(encodeReply(Prove, {}, envelope.id));
          continue;
        }
        if (!proven) throw new Failure("unproven", "Prove who you are first");
        await answerRequest(connection, byMethod, context, envelope, options);
      } catch (thrown) {
        const failure = Failure.from(thrown, "internal", "Cannot answer");
        if (connection.ended !== undefined) return connection.ended;
        options.onRefused?.(failure);
        malformed += failedWith(failure, "malformed", "unproven") ? 1 : 0;
        await connection.send(encodeFailure(failure, id));
        // Nobody knows where the next message begins, or nobody cares.
        const hopeless = failedWith(failure, "too-large", "unsupported") && id === 0 ||
          failedWith(failure, "no-member", "wrong-key", "busy") && !proven;
        if (hopeless || malformed > MALFORMED_LINES_MAX || !greeted) {
          await connection.closeAfterSending(CLOSE_WAIT_MS);
          return failure;
        }
      }
    }
  } catch (thrown) {
    return Failure.from(thrown, "closed", "Cannot answer");
  } finally {
    connection.close();
  }
}

/** A request that has arrived. */
export type RequestEnvelope = Extract<Envelope, { kind: "request" }>;

/** Answers one request. Fails: as the route does, which the other side has not been told then; and as the connection does. */
export async function answerRequest<Context>(
  connection: Connection,
  byMethod: Routes<Context>,
  context: Context,
  envelope: RequestEnvelope,
  options: Pick<AnswerOptions<Context>, "onBug" | "onAnswered"> = {},
): Promise<void> {
  const { line, write, release } = await answerOne(byMethod, context, envelope, options);
  try {
    await (write === undefined ? connection.send(line) : connection.sendWithBody(line, write));
  } finally {
    release();
  }
}

async function answerOne<Context>(
  byMethod: Routes<Context>,
  context: Context,
  envelope: RequestEnvelope,
  options: Pick<AnswerOptions<Context>, "onBug" | "onAnswered">,
): ReturnType<Route<Context>["answer"]> {
  const known = byMethod.get(envelope.method);
  if (known === undefined) {
    throw new Failure("unsupported", `Cannot answer ${printable(envelope.method)}: there is no such method here`);
  }
  try {
    return await known.answer(context, envelope.data, envelope.id);
  } catch (thrown) {
    if (!(thrown instanceof Failure)) options.onBug?.(thrown);
    throw thrown instanceof Failure
      ? thrown
      : new Failure("internal", `Cannot answer ${envelope.method}`, { cause: thrown });
  } finally {
    options.onAnswered?.(context, known.method);
  }
}

function refuseOtherVersions(version: number): void {
  if (version === PROTOCOL_VERSION) return;
  throw new Failure(
    "unsupported",
    `Cannot talk to version ${version} of the protocol: this is ${PROTOCOL_VERSION} (${SOFTWARE})`,
  );
}

function greet(nonce: string, id: number, options: Pick<AnswerOptions<never>, "name">): Uint8Array {
  const name = options.name?.();
  const ours = { version: PROTOCOL_VERSION, software: SOFTWARE, nonce, ...(name === undefined ? {} : { name }) };
  return encodeReply(Hello, ours, id);
}

/** Checks a proof. Shape: whose it is. */
async function believe(
  envelope: RequestEnvelope,
  channel: Channel,
  host: string,
  options: Pick<AnswerOptions<never>, "beforeProof" | "onWrongGuess" | "roomKey">,
): Promise<PublicIdentity> {
  const proof = Prove.data.check(envelope.data, Prove.method);
  await options.beforeProof?.(host);
  try {
    return await checkProof(proof, channel, options.roomKey);
  } catch (thrown) {
    if (failedWith(thrown, "no-member")) options.onWrongGuess?.(host);
    throw thrown;
  }
}
