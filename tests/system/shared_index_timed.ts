/**
 * Several servers over one Redis, as real processes. One is killed, and then Redis is. No user has
 * to do anything.
 * @module
 */

import { assert, assertEquals, assertLess } from "@std/assert";
import { Peers } from "../../lib/protocol/presence.ts";
import { Search } from "../../lib/protocol/search.ts";
import { withComponent } from "../support/components.ts";
import { IndexClient } from "../support/index_client.ts";
import { Program, type RunningIndex, startCommand, startIndex, startPeer } from "../support/programs.ts";
import { startRedis } from "../support/redis.ts";
import { arrivedBytes, sameFiles, TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

const test = withComponent("redis-server", ["--version"]);
const MIB = 1024 * 1024;
const GUESTS = 57;

/**
 * Searches one server without pause, and fails as soon as one search does.
 */
function searching(client: IndexClient): { readonly count: number; stop(): Promise<void> } {
  const state = { count: 0, stopped: false };
  const loop = (async () => {
    while (!state.stopped) {
      const { hits } = await client.call(Search, { query: "notes guest", exact: false, limit: 10, offset: 0 });
      assertEquals(hits.length, 10);
      state.count += 1;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  loop.catch(() => {});
  return {
    get count() {
      return state.count;
    },
    async stop() {
      state.stopped = true;
      await loop;
    },
  };
}

async function namesAt(client: IndexClient): Promise<string[]> {
  return (await client.call(Peers, { limit: 500, offset: 0 })).peers.map(({ name }) => name);
}

async function filesFound(client: IndexClient): Promise<number> {
  const { hits } = await client.call(Search, { query: "notes guest", exact: false, limit: 100, offset: 0 });
  return hits.length;
}

async function isOldAt(client: IndexClient): Promise<boolean> {
  return (await client.call(Search, { query: "notes", exact: false, limit: 1, offset: 0 })).old === true;
}

test("three servers over one Redis: one is killed, and then Redis; nobody is lost, nothing stops", async () => {
  await using temp = await TempFolder.make();
  const redis = await startRedis();
  await using stack = new AsyncDisposableStack();
  const servers: RunningIndex[] = [];
  while (servers.length < 3) servers.push(stack.use(await startIndex("--redis", redis.url)));
  const [killed, ...others] = servers;
  assert(killed !== undefined);
  const all = servers.map(({ port }) => `127.0.0.1:${port}`);
  await temp.folder("guests");
  const roomful = stack.use(
    new Program(["run", "-A", "tests/support/roomful.ts", temp.at("guests"), String(GUESTS), ...all]),
  );
  const film = await temp.file("owner/film.bin", 2048 * MIB);
  // Wherever the first index of the list is tried first, the download begins at the server that is
  // killed.
  const owner = {
    folder: temp.at("owner"),
    index: killed,
    name: "owner",
    stdin: "piped",
    args: ["--index", all.join(",")],
  } as const;
  const getter = {
    folder: await temp.folder("getter"),
    index: killed,
    name: "getter",
    args: ["--index", all.join(",")],
  };
  const shell = stack.use(await startPeer(owner));
  const ghost = stack.use(await startPeer({ folder: await temp.folder("ghost"), index: killed, name: "ghost" }));
  const [, ready = ""] = await roomful.line(/^(\{"event":"ready".*)$/, 90_000);
  const stranded = JSON.parse(ready).ports.filter((port: number) => port === killed.port).length;
  const clients = await Promise.all(others.map(async (server) => {
    return stack.use(await IndexClient.connect({ host: "127.0.0.1", port: server.port }));
  }));
  const everybody = ["ghost", "owner", ...Array.from({ length: GUESTS }, (_, number) => `guest ${number}`)].sort();
  for (const client of clients) {
    await eventually(
      "everybody",
      async () => (await namesAt(client)).filter((name) => name !== "getter").length === everybody.length,
      2_000,
    );
  }

  await using download = startCommand(
    { ...getter, args: [...getter.args, "--json", "--down", "120MB/s"] },
    "get",
    "film.bin",
  );
  await eventually("the download", async () => (await arrivedBytes(getter.folder)) > 200 * MIB, 60_000);
  const searches = clients.map(searching);
  ghost.program.kill("SIGKILL");
  killed.program.kill("SIGKILL");
  const killedMs = performance.now();
  const moved = () => roomful.stdout.matchAll(/^\{"event":"moved".*$/gm).toArray().length;
  await eventually("every peer at another server", () => moved() >= stranded, 15_000);
  assertLess(performance.now() - killedMs, 10_000);
  await eventually("no ghost", async () => {
    return (await Promise.all(clients.map(namesAt))).every((names) => !names.includes("ghost"));
  }, 60_000);
  for (const client of clients) {
    assertEquals(
      (await namesAt(client)).filter((name) => name !== "getter").sort(),
      everybody.filter((name) => name !== "ghost"),
    );
  }
  assertEquals(await download.exit(), 0);
  assert(await sameFiles(film, temp.at("getter/film.bin")));
  await Promise.all(searches.map((search) => search.stop()));
  for (const search of searches) assert(search.count > 100, `${search.count} searches`);

  await redis.kill();
  // At both: each finds out for itself, and the shell may be at either.
  for (const client of clients) await eventually("the loss", () => isOldAt(client));
  for (const client of clients) assertEquals(await filesFound(client), GUESTS);
  await shell.program.type("search notes guest");
  await eventually(
    "a word about it",
    () => `${shell.program.stdout}${shell.program.stderr}`.includes("This list may be out of date"),
  );
  await new Promise((resolve) => setTimeout(resolve, 20_000));
  await using again = await startRedis({ port: redis.port });
  const backMs = performance.now();
  const fresh = stack.use(await startIndex("--redis", again.url));
  const late = stack.use(await IndexClient.connect({ host: "127.0.0.1", port: fresh.port }));
  for (const client of [...clients, late]) {
    await eventually("every peer's files", async () => await filesFound(client) === GUESTS, 30_000);
  }
  assertLess(performance.now() - backMs, 30_000);
  assertEquals([roomful.ended, others.some((server) => server.program.ended)], [false, false]);
  await redis[Symbol.asyncDispose]();
});
