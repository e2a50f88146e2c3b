/**
 * What can go wrong between servers that share one Redis. Each test is a fault that was possible
 * once.
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
/** How much faster than real time the clock of an index runs. */
const FASTER = 20;

/** Real time, but faster. `onDelay` is called with the length of each wait. */
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

/**
 * The parts of a server that write its own peers, without a follower: it dies whenever the test
 * says so.
 */
interface Bare extends AsyncDisposable {
  readonly own: OwnPeers;
  readonly local: LocalIndex;
  readonly entries: RedisEntries;
  readonly servers: RedisServers;
  readonly lost: string[];
  /** Lets a peer join and list some files. */
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
  const own = new OwnPeers({ local, entries, servers, onChanged: () => {}, onUncertain: () => {}, onLost });
  await servers.announce(own.server);
  const list = async (name: string, files: number): Promise<void> => {
    await own.claim(peer(name), "");
    await local.join(peer(name));
    for (let start = 0; start < files; start += BATCH_FILES_MAX) {
      const count = Math.min(BATCH_FILES_MAX, files - start);
      const add = Array.from({ length: count }, (_, number) => ({ name: `${name} ${start + number}.bin`, size: 1 }));
      await own.publish(peerNameKey(name), { ...NO_CHANGE, add }, await local.update(name, { add, remove: [] }));
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

test("a server keeps a lease while it loads and while it forgets another server", async () => {
  await using redis = await startRedis();
  await using gone = await bare(redis);
  const ofGone = `recess:lease:{${gone.own.server}}`;
  await redis.command("PEXPIRE", ofGone, "600000");
  // Many peers, so that some are left while the first ones are forgotten.
  for (let number = 0; number < 20; number++) await gone.list(`peer ${number}`, 7_000);
  const events: string[] = [];
  await using index = await open(redis, { clock: fastClock(), onEvent: ({ event }) => events.push(event) });
  const others = async () => (await leases(redis)).filter((key) => key !== ofGone);
  const [lease = ""] = await others();
  await redis.command("DEL", lease);
  assert(!index.isCurrent, "it has already loaded everything");
  await eventually("what is there", () => index.isCurrent);
  const [again = ""] = await eventually("a lease", async () => {
    const found = await others();
    return found.length > 0 && found;
  });

  await redis.command("DEL", ofGone);
  await eventually("the end of the other", () => events.includes("server-gone"));
  await redis.command("PEXPIRE", again, "5000");
  await eventually("a renewal", async () => Number(await redis.command("PTTL", again)) > 5_000);
  assertGreater((await index.counts()).peers, 0, "the lease was renewed only after all peers were forgotten");
  await eventually("the rest", async () => (await index.counts()).peers === 0);
});

test("a server tries to renew its lease at the same rate however long Redis is away", async () => {
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

test("a peer that leaves and comes back at once is still a member of its server", async () => {
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
});

test("a peer that joins while its server changes its id is a member under the new id", async () => {
  await using redis = await startRedis();
  await using renamed = await bare(redis);
  const joining = renamed.own.claim(peer("rui"), "");
  renamed.own.changeServerId();
  await joining;
  await renamed.own.sync("rui");
  assertEquals((await redis.command("HGET", "recess:peer:{rui}", "server")).trim(), renamed.own.server);
  assertEquals((await redis.command("SMEMBERS", `recess:members:{${renamed.own.server}}`)).trim(), "rui");
});

/** Entries that are put, though the answers of Redis are lost while `isLost` says so. */
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

test("a list that is rewritten because an answer of Redis was lost is not mistaken for the first one", async () => {
  await using redis = await startRedis();
  let isLost = false;
  await using writer = await bare(redis, forgetful(() => isLost));
  await using reader = await bare(redis);
  using others = new OtherPeers(reader.local, reader.entries, () => {});
  const filesRead = async () => {
    await others.refresh("ana", () => false);
    return (await reader.local.counts()).files;
  };
  await writer.list("ana", 2_500);
  assertEquals(await filesRead(), 2_500);
  writer.own.changeServerId();
  isLost = true;
  await assertRejects(() => writer.own.sync("ana"), Failure);
  assertEquals(await filesRead(), 2_500);

  isLost = false;
  for (let start = 0; start < 2_000; start += 500) {
    const remove = Array.from({ length: 500 }, (_, number) => `ana ${start + number}.bin`);
    await writer.own.publish("ana", { ...NO_CHANGE, remove }, await writer.local.update("ana", { add: [], remove }));
  }
  await writer.own.sync("ana");
  assertEquals(await filesRead(), 500);
});

test("a list does not replace the old one when Redis has lost a part of it", async () => {
  await using redis = await startRedis();
  await using before = await bare(redis);
  await before.list("ana", 10);
  const { entries, own } = before;
  const { session } = own.get("ana")?.written ?? { session: "" };
  const continues = { generation: 0, position: 1 };
  const entry = { peer: peer("ana"), server: own.server, session, replaces: session, generation: 1, continues };
  await assertRejects(() => entries.put("ana", { ...entry, position: 2 }), Failure);
  assertEquals((await entries.read("ana", { session, generation: 0, position: 0 }))?.batches.length, 1);
});

test("a session that has lost its name cannot change the list that the next session writes", async () => {
  await using redis = await startRedis();
  await using before = await bare(redis);
  await using after = await bare(redis);
  await before.list("ana", 10);
  const { session } = before.own.get("ana")?.written ?? { session: "" };
  await after.own.claim(peer("ana"), session);
  const other = after.own.get("ana")?.written.session ?? "";
  const batch = (name: string) => ({ ...NO_CHANGE, add: [{ name, size: 1, root: undefined }] });
  await after.entries.beginNext("ana", other);
  await before.entries.writeNext("ana", session, batch("old.txt"));
  await after.entries.writeNext("ana", other, batch("new.txt"));
  const next = { generation: 1, position: 1, continues: { generation: 0, position: 1 } };
  const entry = { peer: peer("ana"), server: after.own.server, session: other, replaces: other, ...next };
  assertEquals((await after.entries.put("ana", entry)).kind, "put");
  const read = await after.entries.read("ana", { session: "", generation: 0, position: 0 });
  assertEquals(read?.batches, [batch("new.txt")]);
  const [left = ""] = (await redis.keys()).filter((key) => key.startsWith("recess:next:"));
  assertLess(0, Number(await redis.command("PTTL", left)));
});

/** Makes Redis refuse every script, and nothing else. */
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

  // The others remove what a server could not remove before it ended.
  {
    await using _ = await refuseScripts(redis);
    await index[Symbol.asyncDispose]();
  }
  for (const lease of await leases(redis)) await redis.command("DEL", lease);
  await using third = await open(redis, { clock: fastClock() });
  await eventually("the end", async () => await redis.command("EXISTS", "recess:peer:{rui}") === "0\n");
  assertEquals(await third.counts(), { peers: 0, files: 0, bytes: 0 });
});

test("a server that ends while it loads does not load the rest first", async () => {
  await using redis = await startRedis();
  await using writer = await bare(redis);
  await writer.list("eva", 40_000);
  const index = await open(redis);
  await eventually("some", async () => (await index.counts()).files > 0);
  await index[Symbol.asyncDispose]();
  assertLess((await index.counts()).files, 40_000);
});

test("a server writes again what Redis has lost of its peers", async () => {
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

test("foreign values in Redis count as absent, and a server repairs its own entries", async () => {
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

test("a peer with a long list does not delay a peer with a short one", async () => {
  await using redis = await startRedis();
  await using other = await bare(redis);
  await using index = await open(redis);
  await eventually("what is there", () => index.isCurrent);
  await other.list("long", 100_000);
  await other.list("short", 1);
  await other.servers.report({ server: other.own.server, changed: ["long"] });
  await eventually("its beginning", async () => ((await index.peer("long"))?.files ?? 0) > 0);
  await other.servers.report({ server: other.own.server, changed: ["short"] });
  await eventually("the short one", async () => (await index.peer("short"))?.files === 1);
  assertLess((await index.peer("long"))?.files ?? Infinity, 100_000);
  await eventually("the rest", async () => (await index.peer("long"))?.files === 100_000);
});

test("a name that is registered for longer than a timer can run is not read again and again", async () => {
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

test("a name is free again when the answer to its registration was lost", async () => {
  await using redis = await startRedis();
  await using index = await open(redis, { clock: fastClock() });
  await using other = await open(redis);
  await eventually("what is there", () => index.isCurrent && other.isCurrent);
  const chat = { name: "chat", host: "10.0.0.9", port: 5000, ttlMs: 600_000 };
  const { register } = RedisEntries.prototype;
  // Both attempts lose the answer of Redis.
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

test("a peer with the most downloads allowed is found though Redis was away when it began the last one", async () => {
  await using redis = await startRedis();
  await using writer = await bare(redis);
  await using reader = await bare(redis);
  using others = new OtherPeers(reader.local, reader.entries, () => {});
  await writer.list("ana", 1);
  for (let number = 1; number <= PARTIALS_PER_PEER_MAX; number++) {
    // Now the server takes Redis for empty.
    if (number === PARTIALS_PER_PEER_MAX) writer.own.changeServerId();
    const partial = { name: "x", size: 1, root: number.toString(16).padStart(64, "0") };
    await writer.local.partial("ana", partial, true);
    await writer.own.publish("ana", { ...NO_CHANGE, partials: [partial] }, 1);
  }
  await writer.own.sync("ana");
  await others.refresh("ana", () => false);
  assertEquals((await reader.local.peer("ana"))?.files, 1);
  assertEquals(reader.local.partialsOf("ana").length, PARTIALS_PER_PEER_MAX);
});

test("two servers that probe one session at the same time both get an answer", async () => {
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
