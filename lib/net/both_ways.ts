/**
 * Asks one thing of another peer and answers, on the same connection, what that asks in order to do it. Called by lib/peer/inbox/running_put.ts: who puts a
 * file is asked for its bytes.
 *
 * Reading never waits for an answer that is being written, so that a refusal in the middle of a body is heard at once.
 * @module
 */

import { Failure } from "../core/failure.ts";
import { OFFER_QUESTIONS_MAX, REPLY_WAIT_MS } from "../core/limits.ts";
import { encodeFailure, encodeRequest } from "../protocol/envelope.ts";
import type { Request } from "../protocol/message.ts";
import { answerRequest, type RequestEnvelope, type Routes } from "./answerer.ts";
import { readReply } from "./caller.ts";
import type { Connection } from "./connection.ts";

/** What is answered meanwhile, and what is told. */
export interface BothWays<Context> {
  readonly routes: Routes<Context>;
  readonly context: Context;
  /** Called with news; each one is a sign of life, after which the wait begins anew. */
  readonly onNews: (event: string, data: unknown) => void;
}

/** The only request that is sent. */
const ID = 1;

/** Asks, and answers until there is the reply. Fails: as the other side says; "malformed", "timeout", "closed". */
export async function askBothWays<D, R, Context>(
  connection: Connection,
  message: Request<D, R>,
  data: D,
  { routes, context, onNews }: BothWays<Context>,
): Promise<R> {
  let questions = 0;
  let answering = Promise.resolve();
  const answer = async (envelope: RequestEnvelope): Promise<void> => {
    try {
      await answerRequest(connection, routes, context, envelope);
    } catch (thrown) {
      // Where the connection itself is over, whoever reads it hears of that.
      await connection.send(encodeFailure(Failure.from(thrown, "internal", "Cannot answer"), envelope.id)).catch(
        () => {},
      );
    } finally {
      questions -= 1;
    }
  };
  try {
    await connection.send(encodeRequest(message, data, ID));
    while (true) {
      const envelope = await connection.receive({ waitMs: REPLY_WAIT_MS });
      if (envelope === null) throw new Failure("closed", `No answer to ${message.method}: the other side closed`);
      if (envelope.kind === "news") onNews(envelope.event, envelope.data);
      else if (envelope.kind !== "request") return readReply(message, envelope).data;
      else if (++questions > OFFER_QUESTIONS_MAX) throw new Failure("malformed", "Got too many questions at once");
      else answering = answering.then(() => answer(envelope));
    }
  } catch (thrown) {
    // Whatever is still being sent is of no use to anybody.
    connection.close();
    throw thrown;
  } finally {
    await answering;
  }
}
