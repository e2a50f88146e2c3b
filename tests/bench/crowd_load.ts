/**
 * Thousands of peers that join one index and stay, and come back when it does. Called by
 * index_load.ts.
 * @module
 */

import { DialBacks, LightPeer } from "./light_peer.ts";
import { percentile } from "./measure.ts";

/** Between two attempts of one peer to come back, at least; as long again by chance. */
const RETRY_MS = 500;

/** A crowd. */
export interface CrowdOptions {
  /** Number of the first peer: different in every process. */
  readonly first: number;
  readonly count: number;
  readonly filesEach: number;
  /** Time over which they join, each at a moment of its own. */
  readonly spreadMs: number;
}

/** Reported each time when all peers have joined and listed all their files. */
export interface CrowdFigures {
  /** 0 for the first time all came, then 1, and so on. */
  readonly round: number;
  /**
   * From the first attempt (of a later round: from the moment the first connection ended) until all
   * were there.
   */
  readonly ms: number;
  /** Connecting, proving and joining, of attempts that succeeded: milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  /** Attempts that failed. */
  readonly failed: number;
}

/** Brings the crowd, and brings it back, for ever. `onAll` is called whenever all are there. */
export async function crowd(
  port: number,
  options: CrowdOptions,
  onAll: (figures: CrowdFigures) => void,
): Promise<never> {
  const { first, count, filesEach, spreadMs } = options;
  const dialBacks = new DialBacks();
  const peers = Array.from({ length: count }, (_, at) => new LightPeer(first + at));
  for (const peer of peers) await peer.prepare();
  let round = new Round(0);

  const come = async (peer: LightPeer): Promise<void> => {
    const start = performance.now();
    const joined = await peer.join(port, dialBacks, filesEach);
    try {
      round.times.push(performance.now() - start);
      await peer.list(joined, filesEach);
      round.here.add(peer);
      if (round.here.size === count) onAll(figuresOf(round));
      await peer.stay(joined);
    } finally {
      joined.caller.connection.close();
    }
    // The first that notices that the index is gone begins the next round for all.
    if (round.here.size === count) round = new Round(round.number + 1);
    else round.here.delete(peer);
  };
  const comeAgainAndAgain = async (peer: LightPeer): Promise<never> => {
    while (true) {
      await delay(Math.random() * spreadMs);
      for (let came = false; !came;) {
        came = await come(peer).then(() => true, () => false);
        if (came) continue;
        round.failed += 1;
        await delay(RETRY_MS * (1 + Math.random()));
      }
    }
  };
  await Promise.all(peers.map(comeAgainAndAgain));
  throw new Error("Cannot get here: peers come back for ever");
}

/** One time in which all come. */
class Round {
  readonly start = performance.now();
  readonly here = new Set<LightPeer>();
  /** How long joins took: milliseconds. */
  readonly times: number[] = [];
  failed = 0;
  readonly number: number;

  constructor(number: number) {
    this.number = number;
  }
}

function figuresOf(round: Round): CrowdFigures {
  return {
    round: round.number,
    ms: Math.round(performance.now() - round.start),
    p50: percentile(round.times, 0.5),
    p99: percentile(round.times, 0.99),
    p999: percentile(round.times, 0.999),
    failed: round.failed,
  };
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
