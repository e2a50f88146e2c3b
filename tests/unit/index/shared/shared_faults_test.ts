/**
 * What can go wrong between servers that share one Redis: each test is a fault that was possible once.
 * @module
 */

import { assert, assertEquals, assertGreater, assertLess, assertLessOrEqual, assertRejects } from "@std/assert";
import { type Clock, systemClock } from "../../../../lib/core/flow/clock.ts";
import { Failure } from "../../../../lib/core/failure.ts";
import { BATCH_FILES_MAX, PARTIALS_PER_PEER_MAX, SERVER_LEASE_EVERY_MS } from "../../../../lib/core/limits.ts";
import { peerNameKey } from "../../../../lib/core/peer_name.ts";
import { NO_CHANGE } from "../../../../lib/index/shared/list_batch.ts";
import { RedisEntries } from "../../../../lib/index/shared/redis_entries.ts";
import { parseRedisPlace, SharedIndex } from "../../../../lib/index/shared/shared_index.ts";
import { RedisKeys } from "../../../../lib/index/shared/redis_keys.ts";
import { RedisLink } from "../../../../lib/index/shared/redis_link.ts";
import { OtherPeers } from "../../../../lib/index/shared/other_peers.ts";
import { OwnPeers } from "../../../../lib/index/shared/own_peers.ts";
import { RedisServers } from "../../../../lib/index/shared/redis_servers.ts";
import type { IndexedPeer, SharedIndexEvent } from "../../../../lib/index/search_index.ts";
import { LocalIndex } from "../../../../lib/index/local/local_index.ts";
import { withComponent } from "../../../support/components.ts";
import { type RunningRedisServer, startRedis } from "../../../support/redis.ts";
import { eventually } from "../../../support/wait.ts";

const test = withComponent("redis-server", ["--version"]);
/** How much faster than ours the time of an index may go. */
const FASTER = 20;

/** Our time, but faster; it tells how long is waited each time. */
function fastClock(onDelay: (ms: number) => void = () => {}): Clock {
  return {
    now: () => systemClock.now() * FASTER,
    delay: (ms, signal) => {
      onDelay(ms);
      return systemClock.delay(ms / FASTER, signal);
    },
  };
}

function peer(name: string): IndexedPeer {
  return { name, id: "1d".repeat(32), certificate: "ce", plain: false, host: "10.0.0.5", port: 4000 };
}

/** What a server has in hand for its own peers, without anything that would look after them: it dies whenever the test says so. */
interface Bare extends AsyncDisposable {
  readonly own: OwnPeers;
  readonly local: LocalIndex;
  readonly entries: RedisEntries;
  readonly servers: RedisServers;
  readonly lost: string[];
  /** Lists so many files of a peer, which joins first. */
  list(name: string, files: number): Promise<void>;
}

async function bare(
  redis: RunningRedisServer,
  entriesOf = (link: RedisLink, keys: RedisKeys) => new RedisEntries(link, keys),
): Promise<Bare> {
  const place = parseRedisPlace(redis.url);
  const [link, keys] = [await RedisLink.open(place), new RedisKeys(place.namespace)];
  const local = new LocalIndex({ bindsNames: false });
  const [entries, servers] = [entriesOf(link, keys), new RedisServers(link, keys)];
  const lost: string[] = [];
  const onLost = ({ name }: IndexedPeer) => Promise.resolve(void lost.push(name));
  const own = new OwnPeers({ local, entries, servers, onChanged: () => {}, onDoubt: () => {}, onLost });
  await servers.begin(own.server);
  const list = async (name: string, files: number): Promise<void> => {
    await own.take(peer(name), "");
    await local.join(peer(name));
    for (let start = 0; start < files; start += BATCH_FILES_MAX) {
      const count = Math.min(BATCH_FILES_MAX, files - start);
      const add = Array.from({ length: count }, (_, number) => ({ name: `${name} ${start + number}.bin`, size: 1 }));
      await own.tell(peerNameKey(name), { ...NO_CHANGE, add }, await local.update(name, { add, remove: [] }));
    }
  };
  const close = async (): Promise<void> => {
    link[Symbol.dispose]();
    await local[Symbol.asyncDispose]();
  };
  return { own, local, entries, servers, lost, list, [Symbol.asyncDispose]: close };
}

async function open(
  redis: RunningRedisServer,
  options: { readonly clock?: Clock; readonly onEvent?: (event: SharedIndexEvent) => void } = {},
): Promise<SharedIndex> {
  return await SharedIndex.open(parseRedisPlace(redis.url), options);
}

/** The servers that have a lease. */
async function leases(redis: RunningRedisServer): Promise<string[]> {
  return (await redis.keys()).filter((key) => key.startsWith("recess:lease:"));
}

test("a server has a lease, though it was lost while it loaded, and has it renewed while it forgets another", async () => {
  await using redis = await startRedis();
  await using gone = await bare(redis);
  const ofGone = `recess:lease:{${gone.own.server}}`;
  await redis.command("PEXPIRE", ofGone, "600000");
  // While the first of them are forgotten, whichever those are, others are still there.
  for (let number = 0; number < 20; number++) await gone.list(`peer ${number}`, 7_000);
  const events: string[] = [];
  await using index = await open(redis, { clock: fastClock(), onEvent: ({ event }) => events.push(event) });
  const others = async () => (await leases(redis)).filter((key) => key !== ofGone);
  const [lease = ""] = await others();
  await redis.command("DEL", lease);
  assert(!index.isCurrent, "it had loaded already");
  await eventually("what is there", () => index.isCurrent);
  const [again = ""] = await eventually("a lease", async () => {
    const found = await others();
    return found.length > 0 && found;
  });

  await redis.command("DEL", ofGone);
  await eventually("the end of the other", () => events.includes("server-gone"));
  await redis.command("PEXPIRE", again, "5000");
  await eventually("a renewal", async () => Number(await redis.command("PTTL", again)) > 5_000);
  assertGreater((await index.counts()).peers, 0, "it was renewed only when all was forgotten");
  await eventually("the rest", async () => (await index.counts()).peers === 0);
});

test("however long Redis is away, a lease is tried for as often as ever", async () => {
  await using redis = await startRedis();
  const delays: number[] = [];
  await using index = await open(redis, { clock: fastClock((ms) => delays.push(ms)) });
  await eventually("what is there", () => index.isCurrent);
  await redis.kill();
  await eventually("its loss", () => !index.isCurrent);
  delays.splice(0);
  await eventually("some attempts", () => delays.filter((ms) => ms >= SERVER_LEASE_EVERY_MS).length > 6);
  assertLessOrEqual(Math.max(...delays), SERVER_LEASE_EVERY_MS);
});

test("a peer that leaves and comes back at once counts among the peers of the server, and so does one that joins while the server takes a new name", async () => {
  await using redis = await startRedis();
  await using index = await open(redis);
  await eventually("what is there", () => index.isCurrent);
  await index.join(peer("ana"));
  await index.update("ana", { add: [{ name: "ana.txt", size: 1 }], remove: [] });
  const leaving = index.leave("ana");
  await index.join(peer("ana"));
  await leaving;
  await using other = await open(redis);
  await eventually("what is there", () => other.isCurrent);
  assertEquals((await other.peer("ana"))?.name, "ana");

  await using renamed = await bare(redis);
  const joining = renamed.own.take(peer("rui"), "");
  renamed.own.beginAnew();
  await joining;
  await renamed.own.repair("rui");
  assertEquals((await redis.command("HGET", "recess:peer:{rui}", "server")).trim(), renamed.own.server);
  assertEquals((await redis.command("SMEMBERS", `recess:members:{${renamed.own.server}}`)).trim(), "rui");
});

/** Entries of which every put that `isLost` says is carried out, but nobody is told so. */
function forgetful(isLost: () => boolean): (link: RedisLink, keys: RedisKeys) => RedisEntries {
  return (link, keys) => {
    const entries = new RedisEntries(link, keys);
    const put = entries.put.bind(entries);
    entries.put = async (...args) => {
      const result = await put(...args);
      if (isLost()) throw new Failure("timeout", "Cannot reach Redis: it does not answer");
      return result;
    };
    return entries;
  };
}

test("a list that was written twice, since Redis did not say that it had it, is read by nobody as if it were the first", async () => {
  await using redis = await startRedis();
  let isLost = false;
  await using writer = await bare(redis, forgetful(() => isLost));
  await using reader = await bare(redis);
  using others = new OtherPeers(reader.local, reader.entries, () => {});
  const filesRead = async () => {
    await others.bring("ana", () => false);
    return (await reader.local.counts()).files;
  };
  await writer.list("ana", 2_500);
  assertEquals(await filesRead(), 2_500);
  writer.own.beginAnew();
  isLost = true;
  await assertRejects(() => writer.own.repair("ana"), Failure);
  assertEquals(await filesRead(), 2_500);

  isLost = false;
  for (let start = 0; start < 2_000; start += 500) {
    const remove = Array.from({ length: 500 }, (_, number) => `ana ${start + number}.bin`);
    await writer.own.tell("ana", { ...NO_CHANGE, remove }, await writer.local.update("ana", { add: [], remove }));
  }
  await writer.own.repair("ana");
  assertEquals(await filesRead(), 500);
});

test("a list that Redis has lost a part of, or that another session wrote into, does not replace a whole one", async () => {
  await using redis = await startRedis();
  await using before = await bare(redis);
  await using after = await bare(redis);
  await before.list("ana", 10);
  const { entries, own } = before;
  const { session } = own.get("ana")?.written ?? { session: "" };
  const entry = { peer: peer("ana"), server: own.server, session, replaces: session, generation: 1, after: 0, from: 1 };
  await assertRejects(() => entries.put("ana", { ...entry, base: 2 }), Failure);
  assertEquals((await entries.read("ana", { session, generation: 0, position: 0 }))?.batches.length, 1);

  await after.own.take(peer("ana"), session);
  const other = after.own.get("ana")?.written.session ?? "";
  const batch = (name: string) => ({ ...NO_CHANGE, add: [{ name, size: 1 }] });
  await after.entries.beginNext("ana", other);
  await entries.writeNext("ana", session, batch("old.txt"));
  await after.entries.writeNext("ana", other, batch("new.txt"));
  const taken = { ...entry, server: after.own.server, session: other, replaces: other };
  assertEquals((await after.entries.put("ana", { ...taken, base: 1 })).kind, "put");
  const read = await after.entries.read("ana", { session: "", generation: 0, position: 0 });
  assertEquals(read?.batches, [batch("new.txt")]);
  const [left = ""] = (await redis.keys()).filter((key) => key.startsWith("recess:next:"));
  assertLess(0, Number(await redis.command("PTTL", left)));
});

/** Has Redis refuse every script, and nothing else. */
async function refuseScripts(redis: RunningRedisServer): Promise<AsyncDisposable> {
  const say = async (what: string) => assertEquals(await redis.command("ACL", "SETUSER", "default", what), "OK\n");
  await say("-evalsha");
  return { [Symbol.asyncDispose]: () => say("+evalsha") };
}

test("a peer that leaves while Redis refuses writes is dropped everywhere once Redis accepts them", async () => {
  await using redis = await startRedis();
  await using index = await open(redis, { clock: fastClock() });
  await using other = await open(redis);
  await eventually("both", () => index.isCurrent && other.isCurrent);
  for (const name of ["ana", "rui"]) await index.join(peer(name));
  const others = async () => (await other.peers({ limit: 9, offset: 0 })).peers.map(({ name }) => name).join();
  await eventually("the peers", async () => await others() === "ana,rui");
  {
    await using _ = await refuseScripts(redis);
    await index.leave("ana");
  }
  await eventually("the end", async () => await others() === "rui");
  assertEquals(await redis.command("EXISTS", "recess:peer:{ana}"), "0\n");

  // And what a server could not remove before it ended is removed by the others.
  {
    await using _ = await refuseScripts(redis);
    await index[Symbol.asyncDispose]();
  }
  for (const lease of await leases(redis)) await redis.command("DEL", lease);
  await using third = await open(redis, { clock: fastClock() });
  await eventually("the end", async () => await redis.command("EXISTS", "recess:peer:{rui}") === "0\n");
  assertEquals(await third.counts(), { peers: 0, files: 0, bytes: 0 });
});

test("a server that is ended while it loads does not load the rest first", async () => {
  await using redis = await startRedis();
  await using writer = await bare(redis);
  await writer.list("eva", 40_000);
  const index = await open(redis);
  await eventually("some", async () => (await index.counts()).files > 0);
  await index[Symbol.asyncDispose]();
  assertLess((await index.counts()).files, 40_000);
});

test("what Redis loses of a server, while it keeps the rest, is written again", async () => {
  await using redis = await startRedis();
  await using index = await open(redis, { clock: fastClock() });
  await eventually("what is there", () => index.isCurrent);
  await index.join(peer("ana"));
  await index.update("ana", { add: [{ name: "ana.txt", size: 1 }], remove: [] });
  const keys = (await redis.keys()).filter((key) => !/:(lease|news)/.test(key));
  assertEquals(keys.length, 5);
  await redis.command("DEL", ...keys);
  await eventually("all of it", async () => (await redis.keys()).length === 7);
  await using other = await open(redis);
  await eventually("what is there", () => other.isCurrent);
  assertEquals(await other.counts(), { peers: 1, files: 1, bytes: 1 });
});

test("what somebody else writes into Redis counts as absent, stops nobody, and is mended where it is an entry of ours", async () => {
  await using redis = await startRedis();
  const events: SharedIndexEvent[] = [];
  await using index = await open(redis, { clock: fastClock(), onEvent: (event) => events.push(event) });
  await eventually("what is there", () => index.isCurrent);
  await index.join(peer("ana"));
  const tell = (...changed: unknown[]) => {
    return redis.command("XADD", "recess:news", "*", "server", "x", "changed", JSON.stringify(changed));
  };
  const put = (key: string, what: unknown) => {
    const fields = ["id", "1d", "server", "x", "session", "y", "generation", "0", "peer", JSON.stringify(what)];
    return redis.command("HSET", `recess:peer:{${key}}`, ...fields);
  };
  await redis.command("SET", "recess:peer:{text}", "text");
  await assertRejects(() => index.register({ name: "text", host: "10.0.0.9", port: 5000, ttlMs: 60_000 }), Failure);
  await put("other", peer("somebody else"));
  await put("no peer", 5);
  await redis.command("SET", "recess:list:{no list}", "text");
  await put("no list", peer("no list"));
  for (const wrong of [{ port: 65_536 }, { port: "1" }, { id: "1d" }, { dialect: "latin" }, { host: 5 }]) {
    const key = JSON.stringify(wrong).replaceAll(/[{}"]/g, "");
    await put(key, { ...peer(key), ...wrong });
    await tell(key);
  }
  await put("hidden", { ...peer("hidden"), port: undefined });
  await redis.command("RPUSH", "recess:list:{hidden}", '[[["hidden.txt",1]],[],[],[]]');
  await tell("hidden");
  await redis.command("DEL", "recess:peer:{ana}");
  await redis.command("SET", "recess:peer:{ana}", "text");
  await redis.command("XADD", "recess:news", "*", "changed", "{");
  await redis.command("XADD", "recess:news", "*", "a", "b");
  await redis.command("XADD", "recess:news", "*", "changed", "7", "probe", "null");
  await tell("text", "other", "no peer", "no list", "ana", 5, null, "");
  await put("well", peer("well"));
  await tell("well");
  await eventually("what is well", async () => await index.peer("well"));
  await eventually("ours", async () => (await redis.command("HGET", "recess:peer:{ana}", "session")).length > 30);
  assertEquals(events, []);
  assertEquals((await index.peers({ limit: 9, offset: 0 })).peers.map(({ name }) => name), [
    "ana",
    "hidden",
    "well",
  ]);
  assertEquals((await index.counts()).files, 0);
});

test("a peer with a long list keeps nobody waiting whose list is short", async () => {
  await using redis = await startRedis();
  await using other = await bare(redis);
  await using index = await open(redis);
  await eventually("what is there", () => index.isCurrent);
  await other.list("long", 100_000);
  await other.list("short", 1);
  await other.servers.tell({ server: other.own.server, changed: ["long"] });
  await eventually("its beginning", async () => ((await index.peer("long"))?.files ?? 0) > 0);
  await other.servers.tell({ server: other.own.server, changed: ["short"] });
  await eventually("the short one", async () => (await index.peer("short"))?.files === 1);
  assertLess((await index.peer("long"))?.files ?? Infinity, 100_000);
  await eventually("the rest", async () => (await index.peer("long"))?.files === 100_000);
});

test("a name that was registered for longer than a timer can wait is not asked for again and again", async () => {
  await using redis = await startRedis();
  await using index = await open(redis);
  await eventually("what is there", () => index.isCurrent);
  await index.register({ name: "chat", host: "10.0.0.9", port: 5000, ttlMs: 2 ** 40 });
  const reads = async () =>
    Number(/cmdstat_evalsha:calls=(\d+)/.exec(await redis.command("INFO", "commandstats"))?.[1]);
  const before = await reads();
  await index.register({ name: "other", host: "10.0.0.9", port: 5000, ttlMs: 1_000 });
  await eventually("the end of another", async () => await index.peer("other") === undefined);
  assertLess(await reads() - before, 10);
});

test("a name whose registration was answered by nobody is free again, and is in no way of another", async () => {
  await using redis = await startRedis();
  await using index = await open(redis, { clock: fastClock() });
  await using other = await open(redis);
  await eventually("what is there", () => index.isCurrent && other.isCurrent);
  const chat = { name: "chat", host: "10.0.0.9", port: 5000, ttlMs: 600_000 };
  const { register } = RedisEntries.prototype;
  // Whoever tries, and whoever does after that, is not answered.
  for (let answersLost = 0; answersLost < 2; answersLost++) {
    RedisEntries.prototype.register = async function (...args): ReturnType<typeof register> {
      RedisEntries.prototype.register = register;
      await register.apply(this, args);
      throw new Failure("timeout", "The answer was lost");
    };
    assertEquals((await assertRejects(() => index.register(chat), Failure)).code, "busy");
  }
  const token = await eventually("the name is free", () => other.register(chat).catch(() => undefined));
  await eventually("it is known", async () => await index.peer("chat") !== undefined);
  assertEquals(await index.register({ ...chat, port: 5001 }, token), token);
});

test("a peer with as many downloads as it may have is found, though Redis was away while it began another", async () => {
  await using redis = await startRedis();
  await using writer = await bare(redis);
  await using reader = await bare(redis);
  using others = new OtherPeers(reader.local, reader.entries, () => {});
  await writer.list("ana", 1);
  for (let number = 1; number <= PARTIALS_PER_PEER_MAX; number++) {
    // As when Redis has lost all that it had so far.
    if (number === PARTIALS_PER_PEER_MAX) writer.own.beginAnew();
    const partial = { name: "x", size: 1, root: number.toString(16).padStart(64, "0") };
    await writer.local.partial("ana", partial, true);
    await writer.own.tell("ana", { ...NO_CHANGE, partials: [partial] }, 1);
  }
  await writer.own.repair("ana");
  await others.bring("ana", () => false);
  assertEquals((await reader.local.peer("ana"))?.files, 1);
  assertEquals(reader.local.partialsOf("ana").length, PARTIALS_PER_PEER_MAX);
});

test("two servers that ask at the same time whether a session is alive both have an answer", async () => {
  await using redis = await startRedis();
  await using index = await open(redis);
  const lost: string[] = [];
  index.serve({ isAlive: () => Promise.resolve(true), lost: (name) => lost.push(name) });
  await eventually("what is there", () => index.isCurrent);
  await index.join(peer("ana"));
  await using other = await open(redis);
  await using third = await open(redis);
  const joining = await Promise.allSettled([other, third].map((each) => each.join(peer("ana"))));
  assertEquals(joining.map(({ status }) => status), ["rejected", "rejected"]);
  assertEquals(lost, []);
});
