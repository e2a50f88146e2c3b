/**
 * Sends one request and, on the same connection, answers the requests that the other side makes in
 * order to answer it. Called by lib/peer/inbox/running_put.ts: a peer that puts a file is asked for
 * its bytes.
 *
 * Reading never waits for an answer that is being written, so that a refusal in the middle of a
 * body is heard at once.
 * @module
 */

import { Failure } from "../core/failure.ts";
import { OFFER_QUESTIONS_MAX, REPLY_WAIT_MS } from "../core/limits.ts";
import { encodeFailure, encodeRequest } from "../protocol/envelope.ts";
import type { Request } from "../protocol/message.ts";
import { answerRequest, type RequestEnvelope, type Routes } from "./answerer.ts";
import { readReply } from "./caller.ts";
import type { Connection } from "./connection.ts";

/** What is answered until the reply comes, and what hears the news. */
export interface BothWays<Context> {
  readonly routes: Routes<Context>;
  readonly context: Context;
  /** Called with news. Each news restarts the wait. */
  readonly onNews: (event: string, data: unknown) => void;
}

/** The id of the only request that is sent. */
const ID = 1;

/**
 * Sends a request and answers others until its reply comes.
 *
 * @throws {Failure} The other side's failure, "malformed", "timeout" or "closed".
 */
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
      // When the connection itself is over, its reader reports that.
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
    // What is still being sent is of no use to anybody.
    connection.close();
    throw thrown;
  } finally {
    await answering;
  }
}
