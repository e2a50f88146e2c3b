/**
 * The answering side of a connection: reads one request after the other and answers each, until
 * the connection ends. lib/server answers what peers ask an index, lib/peer what peers ask each
 * other. This is the one place that catches, replies and closes.
 * @module
 */

import { joinBytes, writeAll } from "../core/bytes.ts";
import { turnMs } from "../core/flow/clock.ts";
import { failedWith, Failure } from "../core/failure.ts";
import { CLOSE_WAIT_MS, HELLO_WAIT_MS, MALFORMED_LINES_MAX, PROVE_WAIT_MS } from "../core/limits.ts";
import { printable } from "../core/printable.ts";
import { PROTOCOL_VERSION, SOFTWARE } from "../core/version.ts";
import { encodeFailure, encodeReply, type Envelope } from "../protocol/envelope.ts";
import { Hello, HelloVersion, Prove } from "../protocol/hello.ts";
import type { Request } from "../protocol/message.ts";
import { makeNonce } from "./caller.ts";
import type { Connection } from "./connection.ts";
import type { PublicIdentity } from "./identity.ts";
import { type Channel, checkProof } from "./proof.ts";
import type { BodyWriter } from "./send_queue.ts";
import type { RoomKey } from "./room_key.ts";

/** An answer: the reply's data, and perhaps a body that follows it. */
export interface Answer<R> {
  readonly data: R;
  readonly body?: Uint8Array | StreamedBody | undefined;
}

/** A body that is written as it comes. */
export interface StreamedBody {
  readonly bytes: number;
  readonly write: BodyWriter;
  /** Called when the answer has been sent or has failed. */
  readonly release?: (() => void) | undefined;
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

/**
 * Options and callbacks of the answering side, shared by all its connections. Per-connection state
 * is the `context`.
 */
export interface AnswerOptions<Context> {
  /** The peer's name. An index has none. */
  readonly name?: (() => string) | undefined;
  /** Silence after which the connection of a caller with a proven key is closed. */
  readonly idleMs: number;
  /** Called with the caller's name, if it gives one. Nothing proves the name. */
  readonly onGreeted?: (context: Context, name: string | undefined) => void;
  /** Called with the identity that the caller has proven. */
  readonly onProven?: ((context: Context, caller: PublicIdentity) => void) | undefined;
  /** The room's key. With one, callers have to prove that they have it. */
  readonly roomKey?: RoomKey | undefined;
  /**
   * Called with the caller's host before its proof is checked, so that guesses at the room key can
   * be delayed.
   */
  readonly beforeProof?: ((host: string) => Promise<void>) | undefined;
  /** Called with the caller's host when the proof was a wrong guess. */
  readonly onWrongGuess?: ((host: string) => void) | undefined;
  /** Called with each message that arrives. */
  readonly onHeard?: ((context: Context) => void) | undefined;
  /**
   * Called with the method of each request that has a route, once its answer is ready or has
   * failed.
   */
  readonly onAnswered?: ((context: Context, method: string) => void) | undefined;
  /** Called with each failure that is sent to the caller. */
  readonly onRefused?: ((failure: Failure) => void) | undefined;
  /** Called with errors that are bugs of this program, not faults of the caller. */
  readonly onBug?: ((thrown: unknown) => void) | undefined;
}

/** A body up to this size is sent together with its line: half the system calls for small files. */
const JOINED_BYTES_MAX = 64 * 1024;

/**
 * Answers in a row, and bytes of them, that are not waited for when the request behind them is here
 * already. Then they go together, in one write. Other work on the event loop waits meanwhile. With
 * files of 4 KiB on four connections, a timer of 2 ms came up to 27 to 59 ms late on a busy machine
 * of two cores, against 20 to 35 ms when each answer was waited for.
 */
const AHEAD_MAX = 64;
const AHEAD_BYTES_MAX = 128 * 1024;
/**
 * In a turn of the event loop that has lasted longer, every answer is waited for. Beside 20
 * connections that always had further requests here, a receiver of one file otherwise got nothing
 * for seconds.
 */
const AHEAD_MS_MAX = 8;

/** Routes by method. */
export type Routes<Context> = ReadonlyMap<string, Route<Context>>;

/** Makes a route. The data is checked before `answer` sees it. */
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

/** How far a caller has come, and what it has done wrong so far. */
interface CallerState {
  stage: "new" | "greeted" | "proven";
  malformed: number;
  /** Answers in a row that were not waited for. */
  ahead: number;
  channel: Channel;
}

/**
 * Answers requests until the connection ends.
 *
 * @returns Why it ended, or null when the other side closed it in order.
 */
export async function answerRequests<Context>(
  connection: Connection,
  byMethod: Routes<Context>,
  context: Context,
  options: AnswerOptions<Context>,
): Promise<Failure | null> {
  const called = options.name === undefined ? "index" : "peer";
  const channel: Channel = { asked: makeNonce(), asking: "", called, calledId: connection.calledId };
  const caller: CallerState = { stage: "new", malformed: 0, ahead: 0, channel };
  try {
    while (true) {
      let id = 0;
      try {
        const envelope = await connection.receive({ waitMs: waitMsFor(caller, options) });
        if (envelope === null) return null;
        options.onHeard?.(context);
        if (envelope.kind !== "request") {
          throw new Failure("malformed", `Got a ${envelope.kind} where a request was expected`);
        }
        id = envelope.id;
        if (envelope.method === Hello.method) await takeHello(envelope, caller, { connection, context, options });
        else if (caller.stage === "new") throw new Failure("malformed", "Say HELLO first");
        else if (envelope.method === Prove.method) await takeProof(envelope, caller, { connection, context, options });
        else if (caller.stage === "greeted") throw new Failure("unproven", "Prove your identity first");
        else await sendAhead(connection, await answerOne(byMethod, context, envelope, options), caller);
      } catch (thrown) {
        if (connection.ended !== undefined) return connection.ended;
        if (!(thrown instanceof Failure)) options.onBug?.(thrown);
        const failure = Failure.from(thrown, "internal", "Cannot answer");
        options.onRefused?.(failure);
        caller.malformed += failedWith(failure, "malformed", "unproven") ? 1 : 0;
        await connection.send(encodeFailure(failure, id));
        if (isHopeless(failure, id, caller)) {
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

/** A connection that is being answered. */
interface Answering<Context> {
  readonly connection: Connection;
  readonly context: Context;
  readonly options: AnswerOptions<Context>;
}

function waitMsFor({ stage }: CallerState, { idleMs }: Pick<AnswerOptions<never>, "idleMs">): number {
  return stage === "proven" ? idleMs : stage === "greeted" ? PROVE_WAIT_MS : HELLO_WAIT_MS;
}

/** Whether a connection is closed after a failure, since nothing good can follow. */
function isHopeless(failure: Failure, id: number, { stage, malformed }: CallerState): boolean {
  // Nobody knows where the next message begins.
  const hasLostTrack = failedWith(failure, "too-large", "unsupported") && id === 0;
  const isTurnedAway = failedWith(failure, "no-member", "wrong-key", "busy") && stage !== "proven";
  return hasLostTrack || isTurnedAway || malformed > MALFORMED_LINES_MAX || stage === "new";
}

async function takeHello<Context>(
  envelope: RequestEnvelope,
  caller: CallerState,
  { connection, context, options }: Answering<Context>,
): Promise<void> {
  // Otherwise a stranger could stay for ever, one HELLO after the other.
  if (caller.stage === "greeted") throw new Failure("unproven", "Prove your identity before you say HELLO again");
  refuseOtherVersions(HelloVersion.check(envelope.data, Hello.method).version);
  const theirs = Hello.data.check(envelope.data, Hello.method);
  caller.channel = { ...caller.channel, asking: theirs.nonce };
  options.onGreeted?.(context, theirs.name);
  await connection.send(greet(caller.channel.asked, envelope.id, options));
  connection.trust();
  if (caller.stage === "new") caller.stage = "greeted";
}

async function takeProof<Context>(
  envelope: RequestEnvelope,
  caller: CallerState,
  { connection, context, options }: Answering<Context>,
): Promise<void> {
  const identity = await checkedCaller(envelope, caller.channel, connection.remote.host, options);
  connection.known(identity.id);
  options.onProven?.(context, identity);
  caller.stage = "proven";
  await connection.send(encodeReply(Prove, {}, envelope.id));
}

/**
 * Answers one request.
 *
 * @throws {Failure} What the route throws, which the other side then has not heard yet; and what
 * the connection throws.
 */
export async function answerRequest<Context>(
  connection: Connection,
  byMethod: Routes<Context>,
  context: Context,
  envelope: RequestEnvelope,
  options: Pick<AnswerOptions<Context>, "onBug" | "onAnswered"> = {},
): Promise<void> {
  const answer = await answerOne(byMethod, context, envelope, options);
  try {
    await send(connection, answer);
  } finally {
    answer.release();
  }
}

function send(connection: Connection, { line, write }: EncodedAnswer): Promise<void> {
  return write === undefined ? connection.send(line) : connection.sendWithBody(line, write);
}

/**
 * Sends an answer. When the next request is here already, its answer need not wait for this one.
 *
 * @throws {Failure} What the connection throws, now or when the next message is sent.
 */
async function sendAhead(connection: Connection, answer: EncodedAnswer, caller: CallerState): Promise<void> {
  const sending = send(connection, answer);
  try {
    const isAhead = answer.write === undefined && caller.ahead < AHEAD_MAX &&
      connection.queuedBytes < AHEAD_BYTES_MAX && connection.hasMessage && turnMs() < AHEAD_MS_MAX;
    caller.ahead = isAhead ? caller.ahead + 1 : 0;
    // A write that fails closes the connection.
    if (isAhead) sending.catch(() => {});
    else await sending;
  } finally {
    answer.release();
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
    if (thrown instanceof Failure) throw thrown;
    options.onBug?.(thrown);
    throw new Failure("internal", `Cannot answer ${envelope.method}`, { cause: thrown });
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
  const ours = { version: PROTOCOL_VERSION, software: SOFTWARE, nonce, name };
  return encodeReply(Hello, ours, id);
}

/**
 * Checks a proof.
 *
 * @returns The identity of the caller.
 */
async function checkedCaller(
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
