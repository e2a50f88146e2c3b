/**
 * Random lines of the wire, valid ones, from a seed.
 * @module
 */

import { type Random, randomBelow, randomOf } from "../../lib/core/random.ts";
import { INDEX_NEWS, INDEX_REQUESTS, PEER_NEWS, PEER_REQUESTS } from "../../lib/protocol/catalogue.ts";
import { encodeNews, encodeReply, encodeRequest } from "../../lib/protocol/envelope.ts";

const REQUESTS = [...INDEX_REQUESTS, ...PEER_REQUESTS];

/** The line of some request. */
export function sampleRequest(random: Random): Uint8Array {
  const request = randomOf(random, REQUESTS);
  return encodeRequest(request, request.data.sample(random), randomBelow(random, 1000));
}

/** The line of any message. */
export function sampleLine(random: Random): Uint8Array {
  const kind = random();
  if (kind < 0.5) return sampleRequest(random);
  if (kind < 0.9) {
    const request = randomOf(random, REQUESTS);
    const body = request.body ? randomBelow(random, 1000) : undefined;
    return encodeReply(request, request.reply.sample(random), randomBelow(random, 1000), body);
  }
  const news = randomOf(random, [...INDEX_NEWS, ...PEER_NEWS]);
  return encodeNews(news, news.data.sample(random));
}
