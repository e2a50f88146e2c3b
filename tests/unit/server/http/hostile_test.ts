import { assert, assertEquals } from "@std/assert";
import { HTTP_REQUESTS_PER_ADDRESS_MAX, URL_BYTES_MAX } from "../../../../lib/core/limits.ts";
import { LocalIndex } from "../../../../lib/index/local/local_index.ts";
import { ASKER, TestApi } from "../../../support/http_api.ts";

Deno.test("HTTP answers odd paths and queries with a failure and its code, and with nothing else", async () => {
  await using api = new TestApi();
  const cases: [path: string, status: number, code: string][] = [
    ["/", 404, "not-found"],
    ["//peers", 404, "not-found"],
    ["/peers/", 404, "not-found"],
    ["/peers/a/b", 404, "not-found"],
    ["/PEERS", 404, "not-found"],
    ["/peers/%2e%2e/%2e%2e/etc/passwd", 404, "not-found"],
    ["/.git/config", 404, "not-found"],
    ["/healthz/x", 404, "not-found"],
    ["/peers/{name}", 404, "not-found"],
    ["/{name}", 404, "not-found"],
    ["/peers/a%2Fb", 404, "not-found"],
    ["/peers/%", 400, "malformed"],
    ["/peers/%ff", 400, "malformed"],
    ["/peers/%zz", 400, "malformed"],
    ["/peers/a%00b", 400, "malformed"],
    [`/peers/${"a".repeat(65)}`, 400, "malformed"],
    ["/peers?limit=0", 400, "malformed"],
    ["/peers?limit=501", 400, "malformed"],
    ["/peers?limit=-1", 400, "malformed"],
    ["/peers?limit=1e2", 400, "malformed"],
    ["/peers?limit=0x10", 400, "malformed"],
    ["/peers?limit=", 400, "malformed"],
    ["/peers?limit", 400, "malformed"],
    ["/peers?limit=1&limit=2", 400, "malformed"],
    ["/peers?limt=1", 400, "malformed"],
    ["/peers?__proto__=1", 400, "malformed"],
    ["/peers?constructor=1", 400, "malformed"],
    ["/peers?offset=99999999999999999999", 400, "malformed"],
    ["/search?q=%ff", 400, "malformed"],
    ["/search?q=a%00b", 400, "malformed"],
    [`/search?q=${"a".repeat(513)}`, 400, "malformed"],
    ["/search?exact=maybe", 400, "malformed"],
    ["/search?offset=2001", 400, "malformed"],
    [`/search?q=${"a".repeat(URL_BYTES_MAX)}`, 414, "too-large"],
  ];
  for (const [path, status, code] of cases) {
    const response = await api.ask(path);
    const { error } = await response.json();
    assertEquals([response.status, error.code], [status, code], path);
    assert(!JSON.stringify(error).includes("    at "), path);
    assertEquals(response.headers.get("x-content-type-options"), "nosniff");
  }
  for (
    const path of ["/peers?", "/peers?&", "/peers?limit=1&", "/search?q=", "/search?q==", "/search?q=%22%20OR%201=1"]
  ) {
    assertEquals((await api.ask(path)).status, 200, path);
  }
});

Deno.test("HTTP answers an unknown method with the methods of the path", async () => {
  await using api = new TestApi();
  const cases: [method: string, path: string, allow: string][] = [
    ["PUT", "/peers", "GET, HEAD, POST"],
    ["DELETE", "/peers", "GET, HEAD, POST"],
    ["OPTIONS", "/peers", "GET, HEAD, POST"],
    ["POST", "/peers/ana", "GET, HEAD, DELETE"],
    ["POST", "/healthz", "GET, HEAD"],
    ["BREW", "/metrics", "GET, HEAD"],
  ];
  for (const [method, path, allow] of cases) {
    const response = await api.ask(path, { method });
    assertEquals([response.status, (await response.json()).error.code], [405, "unsupported"]);
    assertEquals(response.headers.get("allow"), allow);
  }
});

Deno.test("a page of another site can neither read the index nor write to it", async () => {
  await using api = new TestApi();
  for (
    const [host, status] of [["10.0.0.1:8031", 200], ["index.example.edu:8031", 200], ["evil.example", 403]] as const
  ) {
    const response = await api.ask("/peers", { headers: { host, origin: "http://evil.example" } });
    assertEquals(response.status, status, host);
    assertEquals([...response.headers.keys()].filter((name) => name.startsWith("access-control-")), []);
  }
  // What a page may send without being allowed to.
  for (
    const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", undefined]
  ) {
    const headers: Record<string, string> = type === undefined ? {} : { "content-type": type };
    const body = new TextEncoder().encode('{"name":"x","port":1}');
    const response = await api.ask("/peers", { method: "POST", body, headers });
    assertEquals([response.status, (await response.json()).error.code], [415, "unsupported"]);
  }
  assertEquals((await api.index.counts()).peers, 0);
});

Deno.test("HTTP bounds the running requests of one address, and answers other addresses meanwhile", async () => {
  const released = Promise.withResolvers<void>();
  class SlowIndex extends LocalIndex {
    override async peers(): Promise<{ peers: []; more: false }> {
      await released.promise;
      return { peers: [], more: false };
    }
  }
  await using api = new TestApi({ index: new SlowIndex() });
  const waiting = Array.from({ length: HTTP_REQUESTS_PER_ADDRESS_MAX }, () => api.ask("/peers"));
  const refused = await api.ask("/search");
  assertEquals([refused.status, (await refused.json()).error.code, refused.headers.get("retry-after")], [
    503,
    "busy",
    "1",
  ]);
  assertEquals((await api.ask("/healthz")).status, 200);
  assertEquals((await api.ask("/search", {}, { ...ASKER, host: "10.0.0.6" })).status, 200);
  released.resolve();
  for (const response of await Promise.all(waiting)) assertEquals(response.status, 200);
  assertEquals((await api.ask("/search")).status, 200);
});

Deno.test("HTTP slows down a flood of requests of one address", async () => {
  await using api = new TestApi();
  for (let asked = 0; asked < 60; asked++) await api.ask("/peers");
  assert(api.pauses.length > 30 && Math.max(...api.pauses) > 100, String(api.pauses));
  api.pauses.length = 0;
  await api.ask("/peers", {}, { ...ASKER, host: "10.0.0.6" });
  assertEquals(api.pauses, []);
});

Deno.test("HTTP reports a bug without its stack, and the journal has the stack", async () => {
  class BrokenIndex extends LocalIndex {
    override peers(): Promise<never> {
      return Promise.reject(new TypeError("secret detail"));
    }
  }
  await using api = new TestApi({ index: new BrokenIndex() });
  const response = await api.ask("/peers");
  const text = await response.text();
  assertEquals([response.status, JSON.parse(text).error.code, text.includes("secret")], [500, "internal", false]);
  const [event] = api.events;
  assert(event?.event === "bug" && event.trace.includes("secret detail"));
});
