/**
 * The requests that an index answers for peers, each with the function that answers it. Called by
 * index_server.ts for each connection, and by server.ts for the names of the requests in metrics.
 * @module
 */

import { type Answer, type Route, route, type Routes, routes } from "../net/answerer.ts";
import type { Request } from "../protocol/message.ts";
import { Join, Leave, Partial, Peers, Ping, Update } from "../protocol/presence.ts";
import { DownloadRequest, Find, FolderFiles, Search } from "../protocol/search.ts";
import type { Session } from "./session.ts";
import { downloadRequest, find, folder, peers, search } from "./session_answers.ts";

/** The requests of peers to an index. */
export const SESSION_ROUTES: Routes<Session> = routes(
  question(Join, (session, data) => session.join(data)),
  route(Update, async (session: Session, data) => only(await session.update(data))),
  question(Search, search),
  question(Find, find),
  question(FolderFiles, folder),
  question(Peers, peers),
  question(DownloadRequest, downloadRequest),
  route(Partial, async (session, data) => only(await session.partial(data))),
  route(Ping, () => Promise.resolve(only({}))),
  route(Leave, async (session) => {
    await session.leave();
    return only({});
  }),
);

/** A request that the index answers no faster than the pace of its connection. */
function question<D, R>(message: Request<D, R>, answer: (session: Session, data: D) => Promise<R>): Route<Session> {
  return route(message, async (session: Session, data) => {
    await session.question();
    return only(await answer(session, data));
  });
}

/** An answer without a body. */
function only<R>(data: R): Answer<R> {
  return { data };
}
