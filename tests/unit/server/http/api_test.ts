import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { NO_CERTIFICATE, NO_ID } from "../../../../lib/core/dialect.ts";
import { REGISTRATIONS_PER_ADDRESS_MAX } from "../../../../lib/core/limits.ts";
import { LocalIndex } from "../../../../lib/index/local/local_index.ts";
import { RoomKey } from "../../../../lib/net/room_key.ts";
import { Hit, type PeerRef } from "../../../../lib/protocol/shapes.ts";
import { hostFor } from "../../../../lib/server/peer_ref.ts";
import { registeredHost } from "../../../../lib/server/http/registry.ts";
import { ASKER, JSON_TYPE, TestApi } from "../../../support/http_api.ts";

const ID = "1d".repeat(32);
const ROOT = "a".repeat(64);

/** An index with two peers and their files. */
async function filled(index = new LocalIndex()): Promise<TestApi> {
  const api = new TestApi({ index });
  const peer = { id: ID, certificate: "ce", plain: false, port: 4000 };
  await index.join({ ...peer, name: "Inês", host: "10.0.0.7" });
  await index.join({ ...peer, name: "bob", host: "127.0.0.1", port: undefined });
  await index.join({ ...peer, name: "ana", host: "127.0.0.1" });
  await index.update("Inês", {
    add: [{ name: "Aula 1.mp4", size: 5, root: ROOT }, { name: "b.txt", size: 1 }],
    remove: [],
  });
  await index.update("ana", { add: [{ name: "aula 1.mp4", size: 5, root: ROOT }], remove: [] });
  return api;
}

Deno.test("GET /peers lists the peers, page by page", async () => {
  await using api = await filled();
  const first = await (await api.ask("/peers?limit=2")).json();
  const ana = { name: "ana", id: ID, host: "10.0.0.1", port: 4000, plain: false, files: 1, bytes: 5 };
  const bob = { name: "bob", id: ID, host: "10.0.0.1", plain: false, files: 0, bytes: 0 };
  assertEquals(first, { peers: [ana, bob], more: true });
  const second = await (await api.ask("/peers?limit=2&offset=2")).json();
  assertEquals([second.peers.map((each: PeerRef) => each.name), second.more], [["Inês"], false]);
});

Deno.test("HTTP shows no id for a program that has proven no key, and explains the dialect field", async () => {
  await using api = await filled();
  await api.register({ name: "chat", port: 5000 });
  const classmate = { name: "10.0.0.6:8776", id: NO_ID, certificate: NO_CERTIFICATE, plain: true, host: "10.0.0.6" };
  await api.index.join({ ...classmate, port: 8776, dialect: "words" });
  await api.index.update(classmate.name, { add: [{ name: "prova.txt", size: 0 }], remove: [] });
  const chat = { name: "chat", host: ASKER.host, port: 5000, plain: true, dialect: "json", files: 0, bytes: 0 };
  assertEquals(await (await api.ask("/peers/chat")).json(), chat);
  const { peers } = await (await api.ask("/peers")).json();
  assertEquals(peers.map((each: { id?: string }) => each.id), [undefined, ID, ID, undefined, ID]);
  const { hits } = await (await api.ask("/search?q=prova")).json();
  const holder = { name: classmate.name, host: "10.0.0.6", port: 8776, plain: true, dialect: "words" };
  assertEquals(hits.map((hit: { peers: unknown }) => hit.peers), [[holder]]);
  const { components: { schemas } } = await (await api.ask("/openapi.json")).json();
  for (const { properties, required } of [schemas.Peer, schemas.Holder]) {
    assertMatch(properties.dialect.description, /no Recess peer.*`json`.*`words`/);
    assertMatch(properties.id.description, /Absent/);
    assert(!required.includes("id"));
  }
});

Deno.test("GET /peers/NAME finds a peer by any spelling of its name, and reports an unknown name", async () => {
  await using api = await filled();
  for (const name of ["In%C3%AAs", "INES", "ine%CC%82s"]) {
    const response = await api.ask(`/peers/${name}`);
    assertEquals([response.status, (await response.json()).name], [200, "Inês"]);
  }
  const absent = await api.ask("/peers/eva");
  const { error } = await absent.json();
  assertEquals([absent.status, error.code, error.retry], [404, "not-found", false]);
});

Deno.test("GET /search answers with the best match first, and with old when the index is not current", async () => {
  class OldIndex extends LocalIndex {
    current = true;
    override get isCurrent(): boolean {
      return this.current;
    }
  }
  const index = new OldIndex();
  await using api = await filled(index);
  const found = await (await api.ask("/search?q=aula+mp4")).json();
  const peers = [["ana", "10.0.0.1"], ["Inês", "10.0.0.7"]].map(([name, host]) => {
    return { name, id: ID, host, port: 4000, plain: false };
  });
  const [hit] = found.hits;
  assertEquals(Hit.check(hit, "hit"), hit);
  assertEquals({ ...hit, peers: hit.peers.length }, { name: hit.name, size: 5, root: ROOT, holders: 2, peers: 2 });
  assertEquals(new Set(hit.peers.map((each: PeerRef) => each.host)), new Set(peers.map((each) => each.host)));
  assertEquals([found.more, found.old], [false, undefined]);
  assertEquals((await (await api.ask("/search?q=aula&exact=true")).json()).hits, []);
  assertEquals((await (await api.ask("/search?q=b.txt&exact=true")).json()).hits.length, 1);
  assertEquals((await (await api.ask("/search?limit=1")).json()).more, true);
  assertEquals((await (await api.ask("/search?limit=1&offset=1")).json()).more, false);
  assertEquals(api.events.map((each) => each.event), Array(5).fill("searched"));
  assertEquals((await api.ask("/readyz")).status, 200);
  index.current = false;
  assertEquals((await (await api.ask("/search?q=aula")).json()).old, true);
  const ready = await api.ask("/readyz");
  assertEquals([ready.status, (await ready.json()).error.code, ready.headers.get("retry-after")], [503, "busy", "1"]);
  assertEquals((await api.ask("/healthz")).status, 200);
});

Deno.test("an answer that the client already has is not sent again (ETag, If-None-Match)", async () => {
  await using api = await filled();
  for (const path of ["/peers", "/peers/ana", "/search?q=aula", "/openapi.json"]) {
    const response = await api.ask(path);
    const tag = response.headers.get("etag") ?? "";
    assertMatch(tag, /^"[0-9a-f]{32}"$/);
    for (const known of [tag, `"x", W/${tag}`, "*"]) {
      const again = await api.ask(path, { headers: { "if-none-match": known } });
      assertEquals([again.status, await again.text(), again.headers.get("etag")], [304, "", tag], path);
    }
    assertEquals((await api.ask(path, { headers: { "if-none-match": '"x"' } })).status, 200);
  }
  const before = (await api.ask("/peers")).headers.get("etag");
  await api.index.leave("ana");
  assertNotEquals((await api.ask("/peers")).headers.get("etag"), before);
});

Deno.test("POST /peers registers a unique name, renews it with its token, and DELETE removes it", async () => {
  await using api = await filled();
  const created = await api.register({ name: " Chat de  Ana ", port: 5000, ttl: 60 });
  const registered = await created.json();
  assertEquals([created.status, created.headers.get("location")], [201, "/peers/Chat%20de%20Ana"]);
  assertEquals(created.headers.get("cache-control"), "no-store");
  const { token } = registered;
  assertEquals(registered, { name: "Chat de Ana", host: "10.0.0.5", port: 5000, ttl: 60, token });
  const shown = await (await api.ask("/peers/chat%20de%20ana")).json();
  assertEquals([shown.host, shown.port, shown.dialect, shown.files], ["10.0.0.5", 5000, "json", 0]);

  for (const name of ["chat de ÁNA", "inês"]) {
    const taken = await api.register({ name, port: 1 });
    const { error } = await taken.json();
    assertEquals([taken.status, error.code, error.suggestion], [409, "name-taken", `${name}-2`]);
    assertEquals(error.hint, `choose another name; "${name}-2" is free`);
  }
  const renewed = await api.register({ ...registered, port: 5001 });
  assertEquals([renewed.status, await renewed.json()], [200, { ...registered, port: 5001 }]);
  const wrong = await api.register({ ...registered, token: "0".repeat(32) });
  assertEquals([wrong.status, (await wrong.json()).error.code], [403, "refused"]);

  const path = "/peers/chat%20de%20ana";
  for (const headers of [{}, { "x-recess-token": "0".repeat(32) }]) {
    const refused = await api.ask(path, { method: "DELETE", headers });
    assertEquals([refused.status, (await refused.json()).error.code], [403, "refused"]);
  }
  const removed = await api.ask(path, { method: "DELETE", headers: { "x-recess-token": token } });
  assertEquals([removed.status, await removed.text()], [204, ""]);
  const gone = await api.ask(path, { method: "DELETE", headers: { "x-recess-token": token } });
  assertEquals([gone.status, (await gone.json()).error.code], [404, "not-found"]);
  // A token that is no longer good for anything is no obstacle.
  const fresh = await api.register(registered);
  assertEquals(fresh.status, 201);
  assertNotEquals((await fresh.json()).token, token);
  const ofPeer = await api.ask("/peers/ana", { method: "DELETE", headers: { "x-recess-token": token } });
  assertEquals(ofPeer.status, 404);
  assertEquals(api.events.map((each) => each.event), ["registered", "left", "registered"]);
});

Deno.test("POST /peers registers a name at the observed address, and at no other machine", async () => {
  await using api = new TestApi();
  for (const host of ["10.0.0.6", "127.0.0.1", "index.example.edu", "10.0.0.5:1", "a b", "::1"]) {
    const refused = await api.register({ name: "chat", port: 5000, host });
    const { error } = await refused.json();
    assertEquals([refused.status, error.code, error.hint], [
      403,
      "refused",
      "the index sees you at 10.0.0.5: leave host out",
    ]);
  }
  assertEquals((await (await api.register({ name: "chat", port: 5000, host: "10.0.0.5" })).json()).host, "10.0.0.5");
  // Of the index's own machine one may name any address that only it can have.
  const cases: [seen: string, claimed: string | undefined, host: string][] = [
    ["127.0.0.1", undefined, "127.0.0.1"],
    ["127.0.0.1", "127.0.0.9", "127.0.0.9"],
    ["127.0.0.1", "::1", "::1"],
    ["::1", "127.0.0.1", "127.0.0.1"],
    ["fd00::5", "FD00:0::5", "fd00::5"],
  ];
  for (const [seen, claimed, host] of cases) assertEquals(registeredHost({ host: seen, port: 1 }, claimed), host);
  const here = { remote: { host: "127.0.0.1", port: 1 }, reachedAt: "localhost" };
  assertEquals(hostFor(here, "127.0.0.1"), "127.0.0.1");
});

Deno.test("POST /peers bounds the names of one address, and other addresses can still register", async () => {
  await using api = new TestApi();
  let last = { name: "", token: "" };
  for (let number = 0; number < REGISTRATIONS_PER_ADDRESS_MAX; number++) {
    const response = await api.register({ name: `chat ${number}`, port: 5000 });
    assertEquals(response.status, 201);
    last = await response.json();
  }
  const refused = await api.register({ name: "one more", port: 5000 });
  assertEquals([refused.status, (await refused.json()).error.code], [503, "busy"]);
  assertEquals((await api.register(last)).status, 200);
  assertEquals((await api.register({ name: "one more", port: 5000 }, { host: "10.0.0.6", port: 1 })).status, 201);
  await api.ask(`/peers/${encodeURIComponent(last.name)}`, {
    method: "DELETE",
    headers: { "x-recess-token": last.token },
  });
  assertEquals((await api.register({ name: "now there is room", port: 5000 })).status, 201);
});

Deno.test("POST /peers drops a name of the address with the most names when it is full", async () => {
  await using api = new TestApi({ namesMax: 5 });
  const from = (host: string, name: string, token?: string): Promise<Response> =>
    api.register({ name, port: 5000, token }, { host, port: 1 });
  const first = await (await from("2001:db8::1", "Chat 0")).json();
  for (let number = 1; number < 4; number++) await from(`2001:db8::${number}`, `Chat ${number}`);
  await from("10.0.0.6", "other");
  // Renewed, so it is no longer the oldest; a renewal displaces nothing.
  assertEquals((await from("2001:db8::9", "Chat 0", first.token)).status, 200);
  assertEquals((await from("10.0.0.7", "late")).status, 201);
  const names = (await api.index.peers({ offset: 0, limit: 20 })).peers.map(({ name }) => name);
  assertEquals(names.toSorted(), ["Chat 0", "Chat 2", "Chat 3", "late", "other"]);
  assertEquals(api.events.filter(({ event }) => event === "left").length, 1);
  // One network has no more places than before, and its next name replaces none of the others.
  assertEquals((await from("2001:db8::5", "Chat 5")).status, 503);
});

Deno.test("POST /peers rejects a body that is not a registration", async () => {
  await using api = new TestApi();
  const cases: [body: unknown, code: string][] = [
    [{}, "malformed"],
    [[], "malformed"],
    [null, "malformed"],
    ["x", "malformed"],
    [{ name: "a" }, "malformed"],
    [{ name: "a", port: 0 }, "malformed"],
    [{ name: "a", port: 65_536 }, "malformed"],
    [{ name: "a", port: "5000" }, "malformed"],
    [{ name: "a", port: 5000, ttl: 0 }, "malformed"],
    [{ name: "a", port: 5000, ttl: 1e9 }, "malformed"],
    [{ name: "a", port: 5000, host: 5 }, "malformed"],
    [{ name: "a", port: 5000, token: "" }, "malformed"],
    [{ name: "a\0b", port: 5000 }, "malformed"],
    [{ name: "", port: 5000 }, "malformed"],
    [{ name: "a".repeat(100), port: 5000 }, "bad-name"],
    [{ name: "\u001b[31m", port: 5000 }, "bad-name"],
    [{ name: "--", port: 5000 }, "bad-name"],
    [{ name: "10.0.0.5:80", port: 5000 }, "bad-name"],
  ];
  for (const [body, code] of cases) {
    const response = await api.register(body);
    assertEquals([response.status, (await response.json()).error.code], [400, code], JSON.stringify(body));
  }
  assertEquals((await api.index.counts()).peers, 0);
});

Deno.test("HTTP in a room with a key asks for it, slows down guesses, and shows its health to all", async () => {
  const key = RoomKey.makeText();
  await using api = new TestApi({ roomKey: RoomKey.parse(key) });
  const status = async (authorization?: string, path = "/peers"): Promise<[number, string?]> => {
    const response = await api.ask(path, { headers: authorization === undefined ? {} : { authorization } });
    const { error } = response.status === 200 ? { error: undefined } : await response.json();
    if (response.status === 401) assertEquals(response.headers.get("www-authenticate"), 'Bearer realm="recess"');
    return error === undefined ? [response.status] : [response.status, error.code];
  };
  for (const path of ["/peers", "/peers/ana", "/search", "/metrics"]) {
    assertEquals(await status(undefined, path), [401, "unproven"]);
    assertEquals(await status(`Bearer ${key}`, path), path === "/peers/ana" ? [404, "not-found"] : [200]);
  }
  for (const path of ["/healthz", "/readyz", "/openapi.json"]) assertEquals(await status(undefined, path), [200]);
  assertEquals(await status(`bearer ${key.toUpperCase().replaceAll("-", "")}`), [200]);
  assertEquals(await status(`Basic ${key}`), [401, "unproven"]);
  assertEquals(await status(`Bearer ${key.slice(1)}`), [401, "no-member"]);
  api.pauses.length = 0;
  for (let guess = 0; guess < 4; guess++) {
    assertEquals(await status(`Bearer ${RoomKey.makeText()}`), [401, "no-member"]);
  }
  assertEquals(api.pauses.map((ms) => ms > 200), [true, true, true, true]);
  assert((api.pauses[3] ?? 0) > 3 * (api.pauses[0] ?? 0), String(api.pauses));
  const registering = { method: "POST", body: '{"name":"x","port":1}', headers: JSON_TYPE };
  assertEquals((await api.ask("/peers", registering, { ...ASKER, host: "10.0.0.8" })).status, 401);
  assertEquals(api.events.filter((each) => each.event === "refused").length, 5);
});
