/**
 * What every `SearchIndex` must do. Each implementation runs this suite from its own test file.
 * @module
 */

import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { Failure } from "../../lib/core/failure.ts";
import {
  FILE_BYTES_MAX,
  FILES_PER_PEER_MAX,
  NAME_CHARACTERS_PER_PEER_MAX,
  PARTIALS_PER_PEER_MAX,
} from "../../lib/core/limits.ts";
import type { IndexedPeer, SearchIndex, SearchQuery } from "../../lib/index/search_index.ts";
import type { RegisterTest } from "../support/components.ts";
import { eventually } from "../support/wait.ts";

const ROOT_A = "a".repeat(64);
const ROOT_B = "b".repeat(64);

/** Runs the suite. `open` makes an empty index, and `register` adds a test. */
export function testSearchIndex(
  name: string,
  open: () => Promise<SearchIndex>,
  register: RegisterTest = (each, run) => Deno.test(each, run),
): void {
  const test = (what: string, run: (index: SearchIndex) => Promise<void>): void => {
    register(`${name} ${what}`, async () => {
      await using index = await open();
      await run(index);
    });
  };

  test("join() rejects a name that differs only in case, accents, spaces or look-alike letters", async (index) => {
    await joined(index, "Inês");
    for (const same of ["inês", "INES", "Ines ", "ine\u0302s", "Ｉnês", "In\u200bes", "In\u0435s", "Ines\u3164"]) {
      const failure = await assertRejects(() => index.join(peer(same)), Failure);
      assertEquals(failure.code, "name-taken");
      await index.join(peer(failure.suggestion ?? ""));
      await index.leave(failure.suggestion ?? "");
    }
    await joined(index, "Inês 2");
    assertEquals((await index.peers({ limit: 10, offset: 0 })).peers.map((each) => each.name), ["Inês", "Inês 2"]);
  });

  test("join() keeps a name for the key that used it first, even while that peer is away", async (index) => {
    await joined(index, "ana");
    await index.leave("ana");
    const another = { ...peer("Ana"), id: "2e".repeat(32) };
    for (const claim of [() => index.checkName("ANA", another.id), () => index.join(another)]) {
      const failure = await assertRejects(claim, Failure);
      assertEquals([failure.code, failure.suggestion?.toLowerCase()], ["name-taken", "ana-2"]);
    }
    await index.checkName("Ána", peer("ana").id);
    await index.join(peer("ána"));
  });

  test("register() keeps a name for the caller with its token", async (index) => {
    const chat = { name: "Chat de Ana", host: "10.0.0.9", port: 5000, ttlMs: 60_000 };
    const token = await index.register(chat);
    const row = await index.peer("chat de ANA");
    assertEquals([row?.host, row?.port, row?.dialect, row?.plain, row?.files], ["10.0.0.9", 5000, "json", true, 0]);
    for (const refused of [() => index.register(chat), () => index.join(peer("chat de ána"))]) {
      assertEquals((await assertRejects(refused, Failure)).code, "name-taken");
    }
    const wrong = "0".repeat(token.length);
    for (const refused of [() => index.register(chat, wrong), () => index.unregister(chat.name, wrong)]) {
      assertEquals((await assertRejects(refused, Failure)).code, "refused");
    }
    assertEquals(await index.register({ ...chat, port: 5001 }, token), token);
    assertEquals((await index.peers({ limit: 9, offset: 0 })).peers.map((each) => each.port), [5001]);
    await index.unregister("CHAT de ana", token);
    assertEquals(await index.peer(chat.name), undefined);
    assertEquals((await assertRejects(() => index.unregister(chat.name, token), Failure)).code, "not-found");
    assertNotEquals(await index.register(chat, token), token);
  });

  test("register() frees an expired name, but not a renewed one", async (index) => {
    const [brief, renewed] = ["brief", "renewed"].map((name) => ({ name, host: "10.0.0.9", port: 5000, ttlMs: 150 }));
    assert(brief !== undefined && renewed !== undefined);
    await index.register(brief);
    await index.register({ ...renewed, ttlMs: 60_000 }, await index.register(renewed));
    await eventually("the end of its time", async () => await index.peer("brief") === undefined || undefined);
    assertEquals((await index.peer("renewed"))?.port, 5000);
    await index.register(brief);
  });

  test("leave() frees the name and forgets the files", async (index) => {
    await joined(index, "ana", ["aula 1.mp4", "aula 2.mp4"]);
    await joined(index, "rui", ["aula 2.mp4"]);
    await index.leave("ANA");
    assertEquals(await namesOf(index, "aula"), ["aula 2.mp4"]);
    assertEquals(await index.counts(), { peers: 1, files: 1, bytes: 1000 });
    await joined(index, "ana");
    assertEquals(await namesOf(index, "aula"), ["aula 2.mp4"]);
    await index.leave("nobody");
  });

  test("partial() adds a downloader to find(), after the holders of the whole content", async (index) => {
    await joined(index, "ana");
    await index.update("ana", { add: [{ name: "film.mp4", size: 9, root: ROOT_A }], remove: [] });
    await joined(index, "rui");
    const part = { name: "film.mp4", size: 9, root: ROOT_A };
    await index.partial("rui", part, true);
    await index.partial("rui", part, true);
    const holders = async () => {
      const found = await index.find({ root: ROOT_A }, { limit: 10, offset: 0 });
      return found.holders.map((holder) => [holder.peer.name, holder.name, holder.size, holder.partial]);
    };
    assertEquals(await holders(), [["ana", "film.mp4", 9, false], ["rui", "film.mp4", 9, true]]);
    const { hits } = await index.search({ query: "film", exact: false, limit: 10, offset: 0 });
    assertEquals(hits.map((hit) => [hit.holders, hit.peers.length]), [[1, 1]]);
    assertEquals((await index.peer("rui"))?.files, 0);
    const second = await index.find({ root: ROOT_A }, { limit: 1, offset: 1 });
    assertEquals([second.holders.map(({ peer }) => peer.name), second.more], [["rui"], false]);

    await index.partial("rui", part, false);
    assertEquals((await holders()).length, 1);
    await index.partial("rui", part, true);
    await index.leave("rui");
    assertEquals((await holders()).length, 1);
    assertEquals((await assertRejects(() => index.partial("rui", part, true), Failure)).code, "not-joined");
  });

  test("partial() is bounded for each peer", async (index) => {
    await joined(index, "ana");
    const announce = (number: number) => {
      return index.partial("ana", { name: "x", size: 1, root: number.toString(16).padStart(64, "0") }, true);
    };
    for (let number = 0; number < PARTIALS_PER_PEER_MAX; number++) await announce(number);
    await announce(0);
    assertEquals((await assertRejects(() => announce(PARTIALS_PER_PEER_MAX), Failure)).code, "too-large");
  });

  test("folder() lists every content below a folder, page by page", async (index) => {
    await joined(index, "ana", ["week 1/a.txt", "week 1/b/ç.txt", "week 1/b/d.txt", "week 10/a.txt", "week 1.txt"]);
    await joined(index, "rui", ["week 1/b/d.txt"]);
    await index.update("rui", { add: [{ name: "week 1/a.txt", size: 77, root: ROOT_A }], remove: [] });
    const first = await index.folder("week 1/", undefined, 2);
    assertEquals(first.hits.map(({ name, size }) => [name, size === 77]), [
      ["week 1/a.txt", false],
      ["week 1/a.txt", true],
      ["week 1/b/d.txt", false],
    ]);
    assertEquals([first.hits.at(-1)?.holders, first.more], [2, true]);
    const second = await index.folder("week 1/", "week 1/b/d.txt", 2);
    assertEquals([second.hits.map((hit) => hit.name), second.more], [["week 1/b/ç.txt"], false]);
    assertEquals((await index.folder("absent/", undefined, 5)).hits, []);
  });

  test("reached() sets the port of a peer that has joined", async (index) => {
    await index.join({ ...peer("ana"), port: undefined });
    await index.reached("ana", 4321);
    assertEquals((await index.peer("ana"))?.port, 4321);
    await index.update("ana", { add: [{ name: "a.txt", size: 1 }], remove: [] });
    assertEquals((await index.copy("ana", "a.txt"))?.peer.port, 4321);
    await index.leave("ana");
    assertEquals((await assertRejects(() => index.reached("ana", 1), Failure)).code, "not-joined");
  });

  test("leave() during update() ends the update and leaves nothing behind", async (index) => {
    await index.join(peer("ana"));
    const many = Array.from({ length: 20_000 }, (_, number) => ({ name: `file ${number}`, size: 1 }));
    const update = assertRejects(() => index.update("ana", { add: many, remove: [] }), Failure);
    await index.leave("ana");
    assertEquals((await update).code, "not-joined");
    assertEquals(await namesOf(index, "file"), []);
    assertEquals(await index.counts(), { peers: 0, files: 0, bytes: 0 });
  });

  test("update() adds, replaces and removes", async (index) => {
    await joined(index, "ana", ["a.txt", "b.txt"]);
    assertEquals(await index.update("ana", { add: [{ name: "c.txt", size: 3 }], remove: ["a.txt", "absent"] }), 2);
    assertEquals(await index.update("ana", { add: [{ name: "c.txt", size: 7, root: ROOT_A }], remove: [] }), 2);
    assertEquals(await index.copy("ana", "c.txt"), {
      peer: peer("ana"),
      name: "c.txt",
      size: 7,
      root: ROOT_A,
    });
    assertEquals(await index.copy("ana", "a.txt"), undefined);
    const { peers } = await index.peers({ limit: 1, offset: 0 });
    assertEquals(peers, [{ ...peer("ana"), files: 2, bytes: 1007 }]);
    assertEquals(await index.peer("ANA "), peers[0]);
    assertEquals(await index.peer("rui"), undefined);
  });

  test("sums of sizes stay within the bound of a reply, whatever sizes are claimed", async (index) => {
    await index.join(peer("eve"));
    const names = Array.from({ length: 1_000 }, (_, number) => `${number}`);
    const sums = async () => [(await index.peer("eve"))?.bytes, (await index.counts()).bytes];
    for (const many of ["a", "b", "c", "d", "e"]) {
      const add = names.map((name) => ({ name: `${many}${name}`, size: FILE_BYTES_MAX }));
      await index.update("eve", { add, remove: [] });
    }
    assertEquals(await sums(), [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]);
    for (const many of ["a", "b", "c", "d"]) {
      await index.update("eve", { add: [], remove: names.map((name) => `${many}${name}`) });
    }
    assertEquals(await sums(), [1_000 * FILE_BYTES_MAX, 1_000 * FILE_BYTES_MAX]);
  });

  test("update() rejects a peer that has not joined, and too many files", async (index) => {
    const change = { add: [{ name: "a", size: 1 }], remove: [] };
    assertEquals((await assertRejects(() => index.update("ana", change), Failure)).code, "not-joined");
    await index.join(peer("ana"));
    const tooMany = Array.from({ length: FILES_PER_PEER_MAX + 1 }, (_, number) => ({ name: `${number}`, size: 1 }));
    const failure = await assertRejects(() => index.update("ana", { add: tooMany, remove: [] }), Failure);
    assertEquals(failure.code, "too-large");
    const remove = tooMany.map(({ name }) => `not ${name}`);
    assertEquals((await assertRejects(() => index.update("ana", { add: tooMany, remove }), Failure)).code, "too-large");
    assertEquals((await index.counts()).files, 0);
  });

  test("update() bounds the characters of all names of a peer, and counts none twice", async (index) => {
    await index.join(peer("ana"));
    const names = Array.from({ length: 32 }, (_, number) => `${number}`.padEnd(NAME_CHARACTERS_PER_PEER_MAX / 32, "x"));
    for (let twice = 0; twice < 2; twice++) {
      for (const name of names) await index.update("ana", { add: [{ name, size: 1 }], remove: [] });
    }
    const more = { add: [{ name: "y", size: 1 }], remove: [] };
    assertEquals((await assertRejects(() => index.update("ana", more), Failure)).code, "too-large");
    await index.update("ana", { ...more, remove: names.slice(0, 1) });
    assertEquals((await index.counts()).files, 32);
  });

  test("search() finds beginnings of all words, without case and accents", async (index) => {
    const names = ["Vídeos/Aula 01 - Introdução.MP4", "aula 02.mp4", "Straße.pdf", "学习资料 🎓.mp4"];
    await joined(index, "ana", names);
    const cases: [string, string[]][] = [
      ["introducao", [names[0] ?? ""]],
      ["INTRO aul", [names[0] ?? ""]],
      ["video mp4", [names[0] ?? ""]],
      ["aula mp4", ["aula 02.mp4", names[0] ?? ""]],
      ["strasse", ["Straße.pdf"]],
      ["资料", [names[3] ?? ""]],
      ["🎓", [names[3] ?? ""]],
      ["aula pdf", []],
      ["ula", []],
      ['" OR *', []],
      ["introducaomaislongaqueoprefixo", []],
    ];
    for (const [query, expected] of cases) assertEquals(await namesOf(index, query), expected, query);
    assertEquals([(await namesOf(index, " - ")).length, (await namesOf(index, "  ")).length], [0, 4]);
  });

  test("search() finds words longer than any prefix index among many that begin alike", async (index) => {
    const names = Array.from({ length: 500 }, (_, number) => `recording20240101${String(number).padStart(4, "0")}.mp4`);
    await joined(index, "ana", names);
    assertEquals(await namesOf(index, "recording202401010499"), [names[499] ?? ""]);
    assertEquals(await namesOf(index, "mp4 recording202401010007"), [names[7] ?? ""]);
  });

  test("search() puts whole words, own names, many holders and short names first", async (index) => {
    await joined(index, "ana", [
      "redes/notas.txt",
      "redes notas de aula.txt",
      "redes notas.txt",
      "redesenho notas.txt",
    ]);
    await joined(index, "rui", ["redes notas de aula.txt"]);
    assertEquals(await namesOf(index, "redes notas"), [
      "redes notas.txt",
      "redes notas de aula.txt",
      "redes/notas.txt",
      "redesenho notas.txt",
    ]);
  });

  test("search() groups by content and counts holders once", async (index) => {
    for (
      const [name, file, root] of [["ana", "aula.mp4", ROOT_A], ["rui", "copy of aula.mp4", ROOT_A], [
        "eva",
        "x.mp4",
        ROOT_A,
      ], [
        "joa",
        "aula.mp4",
        ROOT_B,
      ]] as const
    ) {
      await index.join(peer(name));
      await index.update(name, { add: [{ name: file, size: 9, root }], remove: [] });
    }
    await index.update("ana", { add: [{ name: "aula (1).mp4", size: 9, root: ROOT_A }], remove: [] });
    const { hits } = await index.search(query("aula"));
    assertEquals(hits.map((hit) => [hit.root, hit.holders]), [[ROOT_A, 3], [ROOT_B, 1]]);
    assertEquals(hits[0]?.peers.map((each) => each.name).sort(), ["ana", "eva", "rui"]);
  });

  test("search(), folder() and find() treat each size of a root as a content of its own", async (index) => {
    for (const [name, size] of [["eva", 7], ["joa", 8], ["ana", 9], ["rui", 9]] as const) {
      await index.join(peer(name));
      await index.update(name, { add: [{ name: "week 1/film.mp4", size, root: ROOT_A }], remove: [] });
    }
    await index.join(peer("zoe"));
    await index.partial("zoe", { name: "film.mp4", size: 9, root: ROOT_A }, true);
    const rows = [[9, 2, ["ana", "rui"]], [7, 1, ["eva"]], [8, 1, ["joa"]]];
    for (const hits of [(await index.search(query("film"))).hits, (await index.folder("week 1/", undefined, 9)).hits]) {
      assertEquals(
        hits.map((hit) => [hit.size, hit.holders, hit.peers.map((each) => each.name).sort()]).sort(),
        rows.toSorted(),
      );
    }
    const holders = async (size?: number) => {
      const found = await index.find({ root: ROOT_A, size }, { limit: 9, offset: 0 });
      return found.holders.map(({ peer }) => peer.name).sort();
    };
    assertEquals(await holders(), ["ana", "eva", "joa", "rui", "zoe"]);
    assertEquals([await holders(9), await holders(7), await holders(1)], [["ana", "rui", "zoe"], ["eva"], []]);
  });

  test("search() separates files without a root by size", async (index) => {
    await joined(index, "ana");
    await joined(index, "rui");
    await index.update("ana", { add: [{ name: "a.txt", size: 1 }], remove: [] });
    await index.update("rui", { add: [{ name: "a.txt", size: 2 }], remove: [] });
    const { hits } = await index.search(query("a"));
    assertEquals(hits.map((hit) => [hit.size, hit.holders]).sort(), [[1, 1], [2, 1]]);
  });

  test("search() with exact finds the whole name, with or without folders", async (index) => {
    await joined(index, "ana", ["Aula.mp4", "aula.mp4", "extra/aula.mp4", "aula.mp4.txt", "sala aula.mp4"]);
    assertEquals(await namesOf(index, "aula.mp4", { exact: true }), ["aula.mp4", "Aula.mp4", "extra/aula.mp4"]);
    assertEquals(await namesOf(index, "EXTRA/Aula.mp4", { exact: true }), ["extra/aula.mp4"]);
    assertEquals(await namesOf(index, "aula", { exact: true }), []);
  });

  test("search() pages through everything once", async (index) => {
    const names = Array.from({ length: 230 }, (_, number) => `page ${String(number).padStart(3, "0")}.txt`);
    await joined(index, "ana", names);
    const seen: string[] = [];
    let more = true;
    while (more) {
      const page = await index.search({ ...query("page"), limit: 50, offset: seen.length });
      more = page.more;
      seen.push(...page.hits.map((hit) => hit.name));
    }
    assertEquals(new Set(seen).size, 230);
    assertEquals(seen.length, 230);
  });

  test("search() returns the same sequence whatever the sizes of its pages", async (index) => {
    const names = Array.from({ length: 400 }, (_, number) => {
      const whole = number % 3 === 0 ? "aula" : "aulas";
      return `${whole} ${"x ".repeat(number % 7)}${number}.txt`;
    });
    await joined(index, "ana", names);
    const all = async (sizes: readonly number[]): Promise<string[]> => {
      const seen: string[] = [];
      for (let page = 0, more = true; more; page++) {
        const limit = sizes[page % sizes.length] ?? 1;
        const { hits, more: others } = await index.search({ ...query("aula"), limit, offset: seen.length });
        seen.push(...hits.map((hit) => hit.name));
        more = others;
      }
      return seen;
    };
    const whole = await all([100]);
    assertEquals([...whole].sort(), [...names].sort());
    assertEquals(await all([20]), whole);
    assertEquals(await all([7, 90, 33]), whole);
    assert(whole.slice(0, 134).every((name) => name.startsWith("aula ")), "whole words come first");
  });

  test("find() lists every copy of a content, page by page", async (index) => {
    for (let number = 0; number < 25; number++) {
      await index.join(peer(`peer ${number}`));
      await index.update(`peer ${number}`, { add: [{ name: `f${number}`, size: 5, root: ROOT_A }], remove: [] });
    }
    const first = await index.find({ root: ROOT_A }, { limit: 20, offset: 0 });
    const second = await index.find({ root: ROOT_A }, { limit: 20, offset: 20 });
    assertEquals([first.holders.length, first.more, second.holders.length, second.more], [20, true, 5, false]);
    assertEquals(new Set([...first.holders, ...second.holders].map(({ peer }) => peer.name)).size, 25);
    assertEquals(await index.find({ root: ROOT_B }, { limit: 20, offset: 0 }), { holders: [], more: false });
  });

  test("update() of many files lets searches run in between", async (index) => {
    await joined(index, "rui", ["quick.txt"]);
    await index.join(peer("ana"));
    const many = Array.from({ length: 30_000 }, (_, number) => ({ name: `slow ${number}.bin`, size: 1 }));
    let done = false;
    const update = index.update("ana", { add: many, remove: [] }).finally(() => done = true);
    let searches = 0;
    while (!done) {
      assertEquals(await namesOf(index, "quick"), ["quick.txt"]);
      searches += 1;
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await update;
    assert(searches > 20, `only ${searches} searches in between`);
    assertEquals((await index.counts()).files, 30_001);
  });

  test("update() and search() treat every character of a name as data", async (index) => {
    const names = [
      "'; DROP TABLE files; --",
      '"quoted" name',
      "new\nline",
      "esc\u001b[31m",
      "a".repeat(1024),
      "% _ * ?",
    ];
    await joined(index, "ana", names);
    for (const name of names) assertEquals(await namesOf(index, name, { exact: true }), [name]);
    await index.update("ana", { add: [], remove: names });
    assertEquals((await index.counts()).files, 0);
    assertEquals(await namesOf(index, ""), []);
  });
}

function peer(name: string): IndexedPeer {
  return { name, id: "1d".repeat(32), certificate: "ce", plain: false, host: "10.0.0.5", port: 4000 };
}

async function joined(index: SearchIndex, name: string, names: string[] = []): Promise<void> {
  await index.join(peer(name));
  await index.update(name, { add: names.map((each) => ({ name: each, size: 1000 })), remove: [] });
}

function query(text: string): SearchQuery {
  return { query: text, exact: false, limit: 20, offset: 0 };
}

async function namesOf(index: SearchIndex, text: string, options: { exact?: boolean } = {}): Promise<string[]> {
  return (await index.search({ ...query(text), ...options })).hits.map((hit) => hit.name);
}
