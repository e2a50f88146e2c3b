import { assert, assertEquals, assertGreater, assertMatch, assertRejects } from "@std/assert";
import { type Clock, systemClock } from "../../../lib/core/flow/clock.ts";
import { Failure } from "../../../lib/core/failure.ts";
import { DIAL_BACK_AGAIN_MS, NAME_BYTES_MAX, PROBE_WAIT_MS } from "../../../lib/core/limits.ts";
import { PROTOCOL_VERSION, SOFTWARE } from "../../../lib/core/version.ts";
import { LocalIndex } from "../../../lib/index/local/local_index.ts";
import { answerRequests } from "../../../lib/net/answerer.ts";
import { ask, greet, makeNonce } from "../../../lib/net/caller.ts";
import { dial } from "../../../lib/net/dial.ts";
import { Identity } from "../../../lib/net/identity.ts";
import { prove } from "../../../lib/net/proof.ts";
import { Hello, Prove } from "../../../lib/protocol/hello.ts";
import { Leave, Peers, Ping } from "../../../lib/protocol/presence.ts";
import { DownloadRequest, Find, Search } from "../../../lib/protocol/search.ts";
import { DialBacks } from "../../../lib/server/dial_backs.ts";
import { IndexServer } from "../../../lib/server/index_server.ts";
import { type JournalEvent, journalJson, journalLine } from "../../../lib/server/journal.ts";
import { RATES } from "../../../lib/server/rates.ts";
import { Session } from "../../../lib/server/session.ts";
import { SESSION_ROUTES } from "../../../lib/server/session_routes.ts";
import { connectionPair } from "../../support/connections.ts";
import { fastClock } from "../../support/fast_clock.ts";
import { IndexClient } from "../../support/index_client.ts";
import { eventually } from "../../support/wait.ts";

const ROOT = "a".repeat(64);

/** A listening index in this process, with its journal. */
async function startIndex(
  options: { host?: string; silenceMs?: number; connectionsMax?: number; clock?: Clock } = {},
) {
  const { host = "127.0.0.1", ...rest } = options;
  const index = new LocalIndex();
  const events: JournalEvent[] = [];
  const server = await IndexServer.listen({ host, port: 0 }, {
    index,
    journal: (event) => events.push(event),
    ...rest,
  });
  return {
    server,
    events,
    index,
    connect: () => IndexClient.connect(server.address),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await index[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a peer joins, lists files, is found and leaves, and the journal has a sentence for each", async () => {
  await using started = await startIndex();
  await using ana = await started.connect();
  await using rui = await started.connect();
  assertEquals(await ana.join("Ana", { files: 2 }), { name: "Ana", host: "127.0.0.1", reachable: true });
  await ana.list("aula 1.mp4", { name: "aula 2.mp4", size: 5, root: ROOT });
  const hits = await rui.search("aula 2");
  const peer = ana.ref;
  assertEquals(hits, [{ name: "aula 2.mp4", size: 5, root: ROOT, holders: 1, peers: [peer] }]);
  assertEquals((await rui.call(Find, { root: ROOT, limit: 5, offset: 0 })).holders, [{
    peer,
    name: "aula 2.mp4",
    size: 5,
    partial: false,
  }]);
  assertEquals(await rui.call(DownloadRequest, { peer: "ana", name: "aula 2.mp4" }), {
    peer,
    size: 5,
    root: ROOT,
  });
  const certificate = ana.identity.certificate.toHex();
  const row = { ...peer, certificate, files: 2, bytes: 1005 };
  assertEquals((await rui.call(Peers, { limit: 5, offset: 0 })).peers, [row]);
  assertEquals((await rui.call(Peers, { name: "ANA", limit: 5, offset: 0 })).peers, [row]);
  assertEquals((await rui.call(Peers, { name: "eva", limit: 5, offset: 0 })).peers, []);
  await ana.call(Leave, {});
  assertEquals(await rui.search("aula"), []);
  const lines = started.events.map((event) => journalLine(event, new Date()));
  const expected = [
    new RegExp(`^\\d\\d:\\d\\d:\\d\\d  Ana joined from 127\\.0\\.0\\.1:${ana.port} with 2 files$`),
    /127\.0\.0\.1:\d+ searched "aula 2": 1 hit$/,
    /127\.0\.0\.1:\d+ asked ana for "aula 2\.mp4": listed$/,
    /Ana lists 2 files \(\+2 -0\)$/,
    /Ana left: said goodbye$/,
    /searched "aula": 0 hits$/,
  ];
  assertEquals(lines.length, expected.length);
  expected.forEach((pattern, index) => assertMatch(lines[index] ?? "", pattern));
});

Deno.test("a peer that has left proves its identity again before it joins again", async () => {
  await using started = await startIndex();
  await using ana = await started.connect();
  await ana.join("ana");
  await ana.call(Leave, {});
  assertEquals((await assertRejects(() => ana.join("ana"), Failure)).code, "unproven");
  const asking = makeNonce();
  const { nonce } = await ana.call(Hello, { version: PROTOCOL_VERSION, software: SOFTWARE, nonce: asking });
  const identity = await Identity.make();
  await ana.call(Prove, await prove({ asked: nonce, asking, called: "index", calledId: "" }, identity, undefined));
  // The name still belongs to its first key.
  assertEquals((await assertRejects(() => ana.join("ana"), Failure)).code, "name-taken");
  await ana.join("rui");
  const { peers } = await ana.call(Peers, { name: "rui", limit: 1, offset: 0 });
  assertEquals(peers.map(({ id }) => id), [identity.id]);
});

Deno.test("JOIN rejects a taken name with a free one, and a bad name with the reason", async () => {
  await using started = await startIndex();
  await using ana = await started.connect();
  await using other = await started.connect();
  await ana.join("Ana");
  const taken = await assertRejects(() => other.join("aná "), Failure);
  assertEquals([taken.code, taken.suggestion], ["name-taken", "aná-2"]);
  assertEquals((await assertRejects(() => other.join("a\u001b[31mna"), Failure)).code, "bad-name");
  assertEquals((await other.join("aná-2")).reachable, true);
  assertEquals((await assertRejects(() => other.join("third"), Failure)).code, "refused");
});

Deno.test("a peer that the index cannot reach can search, but lists no files", async () => {
  await using started = await startIndex();
  await using ana = await started.connect();
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = closed.addr as Deno.NetAddr;
  closed.close();
  assertEquals((await ana.join("ana", { port })).reachable, false);
  assertEquals((await assertRejects(() => ana.list("a.txt"), Failure)).code, "unreachable");
  assertEquals(await ana.search("a"), []);
  const [row] = (await ana.call(Peers, { limit: 5, offset: 0 })).peers;
  assertEquals([row?.name, row?.host, row?.port, row?.files], ["ana", "127.0.0.1", undefined, 0]);
});

Deno.test("a peer that the index reaches at its second attempt may list files", async () => {
  await using started = await startIndex({ clock: fastClock(20) });
  await using ana = await started.connect();
  await using other = await started.connect();
  assertEquals((await ana.join("ana", { port: other.port })).reachable, false);
  other.name = "ana";
  await eventually("it may list", () => ana.list("a.txt").then(() => true, () => false));
  assertEquals((await ana.search("a")).map(({ name }) => name), ["a.txt"]);
  const from = { host: "127.0.0.1", port: other.port };
  assertEquals(started.events.filter(({ event }) => event !== "searched"), [
    { event: "joined", peer: "ana", from, files: 0, reachable: false },
    { event: "reached", peer: "ana", from },
  ]);
});

Deno.test("the index dials a peer back at most twice", async () => {
  const clock = fastClock(20);
  await using started = await startIndex({ clock });
  await using ana = await started.connect();
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let attempts = 0;
  const accepting = (async () => {
    for await (const conn of silent) {
      attempts += 1;
      conn.close();
    }
  })();
  await ana.join("ana", { port: (silent.addr as Deno.NetAddr).port });
  await eventually("the second attempt", () => attempts === 2);
  await clock.delay(3 * DIAL_BACK_AGAIN_MS);
  assertEquals(attempts, 2);
  silent.close();
  await accepting;
});

Deno.test("a port where another peer answers does not count as reached", async () => {
  await using started = await startIndex();
  await using ana = await started.connect();
  await using rui = await started.connect();
  await rui.join("rui");
  assertEquals((await ana.join("ana", { port: rui.port })).reachable, false);
  assertEquals((await started.index.peers({ limit: 9, offset: 0 })).peers.map((peer) => peer.port), [
    undefined,
    rui.port,
  ]);
});

Deno.test("a peer that returns takes its name from its own silent session, and from no other session", async () => {
  await using started = await startIndex();
  await using mute = await started.connect();
  await mute.join("ana");
  await mute.list("old.txt");

  await using stranger = await started.connect();
  assertEquals((await assertRejects(() => stranger.join("ana"), Failure)).code, "name-taken");

  // The first session gets the probe and does not answer, like a laptop that sleeps.
  await using back = await IndexClient.connect(started.server.address, mute.identity);
  await back.join("ana");
  assertEquals(mute.news, ["PROBE"]);
  assertEquals((await mute.ended).code, "closed");
  assertEquals(await stranger.search("old"), []);

  // This session answers the probe.
  await using third = await IndexClient.connect(started.server.address, mute.identity);
  const answering = eventually("a probe", () => back.news.includes("PROBE")).then(() => back.call(Ping, {}));
  assertEquals((await assertRejects(() => third.join("ana"), Failure)).code, "name-taken");
  await answering;
  assertEquals((await back.call(Peers, { limit: 5, offset: 0 })).peers.length, 1);
});

Deno.test("a session that falls silent ends, and its files are removed", async () => {
  await using started = await startIndex({ silenceMs: 1_500 });
  await using ana = await started.connect();
  await ana.join("ana");
  const start = performance.now();
  await ana.list("a.txt");
  await eventually("ana has left", async () => (await started.index.counts()).peers === 0);
  assertGreater(performance.now() - start, 1_400);
  assertEquals(await started.index.counts(), { peers: 0, files: 0, bytes: 0 });
  assertMatch(JSON.stringify(started.events.at(-1)), /"left".*silent/);
});

Deno.test("before JOIN, a peer can send HELLO and questions only", async () => {
  await using started = await startIndex();
  await using ana = await started.connect();
  assertEquals((await assertRejects(() => ana.list("a"), Failure)).code, "not-joined");
  assertEquals((await assertRejects(() => ana.call(Leave, {}), Failure)).code, "not-joined");
  assertEquals(
    (await assertRejects(() => ana.call(DownloadRequest, { peer: "x", name: "y" }), Failure)).code,
    "not-found",
  );
  assertEquals(await ana.search("anything"), []);
});

Deno.test("close() says goodbye to every peer and frees the port", async () => {
  await using started = await startIndex();
  await using ana = await started.connect();
  await using rui = await started.connect();
  await ana.join("ana");
  await rui.join("rui");
  await started.server.close("the index was stopped");
  await ana.ended;
  assertEquals([ana.news, rui.news], [["CLOSING"], ["CLOSING"]]);
  assertEquals(await started.index.counts(), { peers: 0, files: 0, bytes: 0 });
  assertEquals(
    (await assertRejects(() => IndexClient.connect(started.server.address), Failure)).code,
    "unreachable",
  );
});

Deno.test("an index on IPv6 loopback works from HELLO to FIND", async () => {
  await using started = await startIndex({ host: "::1" });
  await using ana = await started.connect();
  assertEquals(await ana.join("ana"), { name: "ana", host: "::1", reachable: true });
  await ana.list({ name: "a.txt", size: 1, root: ROOT });
  assertEquals((await ana.search("a"))[0]?.peers, [{ ...ana.ref, host: "::1" }]);
});

Deno.test("a peer on the machine of the index is given out with the address of the index", async () => {
  await using started = await startIndex();
  await using ana = await started.connect();
  await ana.join("ana");
  await ana.list({ name: "a.txt", size: 1, root: ROOT });
  const asked: string[] = [];
  const ends = [
    { local: { host: "192.168.7.1", port: 1099 }, remote: { host: "192.168.7.20", port: 5 } },
    { local: { host: "fd00::1", port: 1099 }, remote: { host: "fd00::20", port: 5 } },
    { local: { host: "127.0.0.1", port: 1099 }, remote: { host: "127.0.0.1", port: 5 } },
  ];
  for (const each of ends) {
    const [here, there] = connectionPair(each);
    const session = new Session({
      index: started.index,
      journal: () => {},
      clock: systemClock,
      dial,
      dialBacks: new DialBacks(systemClock),
      joined: new Map(),
      rates: RATES,
    }, there);
    const answered = answerRequests(there, SESSION_ROUTES, session, { idleMs: 2_000 });
    await greet(here, { called: "index", identity: await Identity.make() });
    const page = { limit: 5, offset: 0 };
    const { data: { hits } } = await ask(here, Search, { query: "a", exact: false, ...page });
    const { data: { holders } } = await ask(here, Find, { root: ROOT, ...page });
    const { data: { peers } } = await ask(here, Peers, page);
    const { data: request } = await ask(here, DownloadRequest, { peer: "ana", name: "a.txt" });
    const hosts = new Set([hits[0]?.peers[0]?.host, holders[0]?.peer.host, peers[0]?.host, request.peer.host]);
    assertEquals(hosts.size, 1);
    asked.push(...[...hosts].map(String));
    here.close();
    await answered;
  }
  assertEquals(asked, ["192.168.7.1", "fd00::1", "127.0.0.1"]);
});

Deno.test("a reply with long names is cut to one line, and reports that more follows", async () => {
  await using started = await startIndex();
  await using ana = await started.connect();
  await ana.join("ana");
  for (let batch = 0; batch < 10; batch++) {
    const names = Array.from({ length: 20 }, (_, number) => {
      const unique = `wide ${batch * 20 + number} `;
      return unique + "\u001b".repeat(NAME_BYTES_MAX - unique.length);
    });
    await ana.list(...names);
  }
  const page = await ana.call(Search, { query: "wide", exact: false, limit: 100, offset: 0 });
  assert(page.hits.length > 10 && page.hits.length < 100, `${page.hits.length} hits`);
  assertEquals(page.more, true);
});

Deno.test("the journal has one printable line for each event, whatever the names are", () => {
  const event: JournalEvent = {
    event: "searched",
    peer: "ana\n12:00:00  root joined",
    query: "\u001b[2J\u202e",
    hits: 3,
  };
  const line = journalLine(event, new Date(0));
  assertEquals(line.split("\n").length, 1);
  assert(!/[\p{Cc}\p{Cf}]/u.test(line));
  assertEquals(JSON.parse(journalJson(event, new Date(0))), {
    time: "1970-01-01T00:00:00.000Z",
    level: "debug",
    ...event,
  });
});

Deno.test("a sign of life of a session ends all waits for one", async () => {
  await using started = await startIndex();
  const [here, there] = connectionPair();
  const { index } = started;
  const joined = new Map();
  const parts = {
    index,
    journal: () => {},
    clock: systemClock,
    dial,
    dialBacks: new DialBacks(systemClock),
    joined,
    rates: RATES,
  };
  const session = new Session(parts, there);
  const startMs = performance.now();
  const asked = [session.isAlive(), session.isAlive()];
  await systemClock.delay(1);
  session.heard();
  assertEquals(await Promise.all(asked), [true, true]);
  assert(performance.now() - startMs < PROBE_WAIT_MS);
  here.close();
  there.close();
});
