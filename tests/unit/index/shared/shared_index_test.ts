import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Failure } from "../../../../lib/core/failure.ts";
import { parseRedisPlace, SharedIndex } from "../../../../lib/index/shared/shared_index.ts";
import { RedisKeys } from "../../../../lib/index/shared/redis_keys.ts";
import { CLIENT, RedisLink } from "../../../../lib/index/shared/redis_link.ts";
import { RedisServers } from "../../../../lib/index/shared/redis_servers.ts";
import type { IndexedPeer, SharedIndexEvent } from "../../../../lib/index/search_index.ts";
import { withComponent } from "../../../support/components.ts";
import { PROJECT } from "../../../support/programs.ts";
import { type RunningRedisServer, startRedis } from "../../../support/redis.ts";
import { eventually } from "../../../support/wait.ts";

const test = withComponent("redis-server", ["--version"]);
const ROOT = "a".repeat(64);
/** The index of a server, and what it reported. */
interface Shared extends AsyncDisposable {
  readonly index: SharedIndex;
  readonly events: SharedIndexEvent["event"][];
  readonly lost: string[];
  alive: boolean;
}

async function share(redis: RunningRedisServer): Promise<Shared> {
  const events: SharedIndexEvent["event"][] = [];
  const lost: string[] = [];
  const index = await SharedIndex.open(parseRedisPlace(redis.url), { onEvent: ({ event }) => events.push(event) });
  const shared = { index, events, lost, alive: true, [Symbol.asyncDispose]: () => index[Symbol.asyncDispose]() };
  index.serve({ isAlive: () => Promise.resolve(shared.alive), lost: (name) => lost.push(name) });
  await eventually("what is there", () => index.isCurrent);
  return shared;
}

function peer(name: string, id = "1d".repeat(32)): IndexedPeer {
  return { name, id, certificate: "ce", plain: false, host: "10.0.0.5", port: 4000 };
}

async function join(index: SharedIndex, name: string, ...files: string[]): Promise<void> {
  await index.join(peer(name));
  await index.update(name, { add: files.map((each) => ({ name: each, size: 10 })), remove: [] });
}

async function found(index: SharedIndex, query: string): Promise<string[]> {
  const { hits } = await index.search({ query, exact: false, limit: 100, offset: 0 });
  return hits.map((hit) => `${hit.name} ${hit.peers.map(({ name }) => name).sort()}`).sort();
}

async function becomes(index: SharedIndex, query: string, expected: string[]): Promise<void> {
  const same = async () => JSON.stringify(await found(index, query)) === JSON.stringify(expected);
  await eventually(`${query}: ${expected}`, same).catch(async () => {
    assertEquals(await found(index, query), expected);
  });
}

test("a peer that is reached after it joined becomes reachable at the other servers, with its list", async () => {
  await using redis = await startRedis();
  await using a = await share(redis);
  await using b = await share(redis);
  await a.index.join({ ...peer("ana"), port: undefined });
  await eventually("ana", async () => await b.index.peer("ana"));
  assertEquals((await b.index.peer("ana"))?.port, undefined);
  await a.index.reached("ana", 4000);
  await a.index.update("ana", { add: [{ name: "film.mp4", size: 10 }], remove: [] });
  await becomes(b.index, "film", ["film.mp4 ana"]);
  assertEquals((await b.index.peer("ana"))?.port, 4000);
});

test("a change at one server becomes known at the others", async () => {
  await using redis = await startRedis();
  await using a = await share(redis);
  await using b = await share(redis);
  await join(a.index, "ana", "aula 1.mp4", "aula 2.mp4");
  await becomes(b.index, "aula", ["aula 1.mp4 ana", "aula 2.mp4 ana"]);
  await a.index.update("ana", { add: [{ name: "aula 3.mp4", size: 9, root: ROOT }], remove: ["aula 1.mp4"] });
  await becomes(b.index, "aula", ["aula 2.mp4 ana", "aula 3.mp4 ana"]);
  await join(b.index, "rui");
  await b.index.partial("rui", { name: "aula 3.mp4", size: 9, root: ROOT }, true);
  const holders = async () =>
    (await a.index.find({ root: ROOT }, { limit: 9, offset: 0 })).holders.map(({ peer }) => peer.name);
  await eventually("the partial copy", async () => (await holders()).join() === "ana,rui");
  await b.index.partial("rui", { name: "aula 3.mp4", size: 9, root: ROOT }, false);
  await eventually("its end", async () => (await holders()).join() === "ana");
  assertEquals(await b.index.counts(), { peers: 2, files: 2, bytes: 19 });
  assertEquals((await b.index.peer("ANA"))?.bytes, 19);
  await a.index.leave("ana");
  await becomes(b.index, "aula", []);
  assertEquals((await assertRejects(() => b.index.update("ana", { add: [], remove: [] }), Failure)).code, "not-joined");
});

test("a name that is registered at one server is taken at another, and can be renewed and removed there", async () => {
  await using redis = await startRedis();
  await using a = await share(redis);
  await using b = await share(redis);
  const chat = { name: "chat", host: "10.0.0.9", port: 5000, ttlMs: 60_000 };
  const token = await a.index.register(chat);
  const port = async () => (await b.index.peer("chat"))?.port;
  await eventually("the name", async () => await port() === 5000);
  assertEquals((await assertRejects(() => b.index.join(peer("Chat")), Failure)).code, "name-taken");
  await b.index.register({ ...chat, port: 5001 }, token);
  assertEquals(await port(), 5001);
  await eventually("the renewal", async () => (await a.index.peer("chat"))?.port === 5001);
  await b.index.register({ ...chat, port: 5001, ttlMs: 400 }, token);
  await eventually("the end of its time", async () => await a.index.peer("chat") === undefined);
  const fresh = await b.index.register(chat);
  await a.index.unregister("chat", fresh);
  await eventually("the end", async () => await port() === undefined);
});

test("a peer gets its name back at another server with the same key when its old session is dead", async () => {
  await using redis = await startRedis();
  await using a = await share(redis);
  await using b = await share(redis);
  await join(a.index, "ana", "old.txt");
  await becomes(b.index, "old", ["old.txt ana"]);
  const other = await assertRejects(() => b.index.join(peer("Aná", "2e".repeat(32))), Failure);
  assertEquals([other.code, other.suggestion], ["name-taken", "Aná-2"]);
  assertEquals((await assertRejects(() => b.index.join(peer("ana")), Failure)).code, "name-taken");
  assertEquals(a.lost, []);

  a.alive = false;
  await join(b.index, "ana", "new.txt");
  await eventually("the loss", () => a.lost.length > 0);
  assertEquals(a.lost, ["ana"]);
  await becomes(a.index, "txt", ["new.txt ana"]);
  await a.index.leave("ana");
  assertEquals(await found(b.index, "txt"), ["new.txt ana"]);
});

test("a long log is rewritten without the other servers loading it again", async () => {
  await using redis = await startRedis();
  await using a = await share(redis);
  await using b = await share(redis);
  const files = Array.from({ length: 500 }, (_, number) => ({ name: `file ${number}.bin`, size: number }));
  await a.index.join(peer("ana"));
  await eventually("ana", async () => await b.index.peer("ana"));
  let absences = 0;
  const watching = setInterval(async () => {
    if (await b.index.peer("ana") === undefined) absences += 1;
  }, 5);
  for (let round = 1; round <= 12; round++) {
    await a.index.update("ana", { add: files.map(({ name }) => ({ name, size: round })), remove: [] });
    await eventually("the sizes", async () => (await b.index.peer("ana"))?.bytes === round * 500);
  }
  assert(Number(await redis.command("LLEN", "recess:list:{ana}")) < 8, "the log was not rewritten");
  clearInterval(watching);
  assertEquals(absences, 0);
  await using c = await share(redis);
  const here = await a.index.peer("ana");
  assertEquals(await c.index.peer("ana"), here && { ...here, dialect: undefined });
});

Deno.test("a server without --redis loads neither the Redis client nor our code for it", async () => {
  const { imports } = JSON.parse(await Deno.readTextFile(`${PROJECT}/deno.json`));
  assertEquals(imports["@redis/client"], CLIENT);
  const info = new Deno.Command(Deno.execPath(), { args: ["info", "--json", "server.ts"], cwd: PROJECT });
  const { modules } = JSON.parse(new TextDecoder().decode((await info.output()).stdout));
  const imported: { specifier: string; code?: unknown; isDynamic?: boolean }[] = modules.flatMap(
    (module: { dependencies?: unknown[] }) => module.dependencies ?? [],
  );
  const ofRedis = imported.filter(({ specifier, code }) =>
    /redis|index\/shared\//.test(specifier) && code !== undefined
  );
  const fromServer = ofRedis.filter(({ specifier }) => specifier.startsWith("./lib/"));
  assertEquals(fromServer.map(({ isDynamic }) => isDynamic), [true]);
  assert(!ofRedis.some(({ specifier }) => specifier.includes("@redis")));
});

Deno.test("parseRedisPlace() reads URLs and a namespace", () => {
  const place = (text: string) => parseRedisPlace(text);
  assertEquals(place("redis://h:1/2#lab").urls, ["redis://h:1/2"]);
  assertEquals([place("redis://h:1/2#lab").namespace, place("rediss://u:p@h").namespace], ["lab", "recess"]);
  assertEquals(place("redis://a:1,redis://b:2").urls, ["redis://a:1", "redis://b:2"]);
  for (const wrong of ["", "localhost:6379", "http://h", "redis://a,", "redis://a#x,redis://b#y", "redis://a#{x}"]) {
    assertEquals(assertThrows(() => place(wrong), Failure).code, "usage", wrong);
  }
});

Deno.test("SharedIndex.open() reports an unreachable Redis without its password", async () => {
  const place = parseRedisPlace("redis://u:secret@127.0.0.1:1");
  const failure = await assertRejects(() => SharedIndex.open(place), Failure);
  assertEquals(failure.code, "unreachable");
  assert(!failure.message.includes("secret"), failure.message);
});

test("newsSince() reports a gap when news were trimmed", async () => {
  await using redis = await startRedis();
  using link = await RedisLink.open(parseRedisPlace(redis.url));
  const servers = new RedisServers(link, new RedisKeys("recess"));
  const tell = (...changed: string[]) => servers.report({ server: "s", changed });
  await tell("ana");
  const place = await servers.lastNews();
  assertEquals(await servers.newsSince(place), { notes: [], place, gap: false });
  await tell("rui");
  assertEquals((await servers.newsSince(place)).notes, [{ server: "s", changed: ["rui"] }]);
  await redis.command("XTRIM", "recess:news", "MAXLEN", "0");
  await tell("eva");
  const late = await servers.newsSince(place);
  assertEquals([late.notes.length, late.gap], [1, true]);
  assertEquals((await servers.newsSince(late.place)).gap, false);
});

test("an index without Redis answers but lets nobody join, and fills a Redis that comes back empty", async () => {
  const redis = await startRedis();
  await using a = await share(redis);
  await using b = await share(redis);
  await join(a.index, "ana", "ana.txt", "gone.txt");
  await join(b.index, "rui", "rui.txt");
  await becomes(a.index, "txt", ["ana.txt ana", "gone.txt ana", "rui.txt rui"]);
  await becomes(b.index, "txt", ["ana.txt ana", "gone.txt ana", "rui.txt rui"]);
  await redis[Symbol.asyncDispose]();
  await eventually("the loss", () => !a.index.isCurrent && !b.index.isCurrent);
  for (const refused of [() => a.index.join(peer("eva")), () => a.index.checkName("eva", "x")]) {
    const failure = await assertRejects(refused, Failure);
    assertEquals([failure.code, failure.retry], ["busy", true]);
  }
  await a.index.update("ana", { add: [{ name: "late.txt", size: 1 }], remove: ["gone.txt"] });
  await b.index.leave("rui");
  assertEquals(await found(a.index, "txt"), ["ana.txt ana", "late.txt ana", "rui.txt rui"]);

  await using again = await startRedis({ port: redis.port });
  await eventually("its return", () => a.index.isCurrent && b.index.isCurrent);
  await becomes(b.index, "txt", ["ana.txt ana", "late.txt ana"]);
  assertEquals(await again.command("LLEN", "recess:list:{ana}"), "3\n");
  await join(b.index, "rui", "rui.txt");
  await becomes(a.index, "txt", ["ana.txt ana", "late.txt ana", "rui.txt rui"]);
  await using c = await share(again);
  assertEquals(await found(c.index, "txt"), ["ana.txt ana", "late.txt ana", "rui.txt rui"]);
  assertEquals([a.events, b.events], [["redis-away", "redis-back"], ["redis-away", "redis-back"]]);
});
