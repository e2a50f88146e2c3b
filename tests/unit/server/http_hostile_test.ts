import { assert, assertEquals } from "@std/assert";
import { HTTP_BODY_BYTES_MAX, HTTP_REQUESTS_PER_ADDRESS_MAX, URL_BYTES_MAX } from "../../../lib/core/limits.ts";
import { failedWith } from "../../../lib/core/failure.ts";
import { LocalIndex } from "../../../lib/index/local/local_index.ts";
import { isOwnName } from "../../../lib/server/http_access.ts";
import { readJson } from "../../../lib/server/http_body.ts";
import { ASKER, JSON_TYPE, TestApi } from "../../support/http_api.ts";

Deno.test("odd paths and queries get an error with a code, and never anything else", async () => {
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

Deno.test("a method that is not there is told which are", async () => {
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

Deno.test("a page elsewhere can neither read the index nor write to it", async () => {
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

Deno.test("isOwnName() takes numbers, names of the local network and those that were configured", () => {
  const own = [
    "10.0.0.1",
    "10.0.0.1:8031",
    "[::1]:8031",
    "localhost",
    "localhost:1",
    "labserver:8031",
    "lab.local",
    "Index.Example.EDU:9",
  ];
  for (const header of own) assert(isOwnName(header, ["index.example.edu"]), header);
  const others = [
    "evil.com",
    "evil.com:8031",
    "1.2.3.4.evil.com",
    "index.example.edu.evil.com",
    "evil.com.",
    "",
    "a b",
    "x@10.0.0.1",
    "10.0.0.1/x",
    "10.0.0.1#x",
    "[bad",
    "xlocal.com",
  ];
  for (const header of others) assert(!isOwnName(header, ["index.example.edu"]), header);
});

Deno.test("readJson() takes no more bytes than its bound, announced or in chunks, and waits no longer than it says", async () => {
  const chunked = (chunk: string, pauseMs: number): ReadableStream<Uint8Array> => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    return new ReadableStream({
      async pull(controller) {
        await new Promise<void>((resolve) => timer = setTimeout(resolve, pauseMs));
        controller.enqueue(new TextEncoder().encode(chunk));
      },
      cancel: () => clearTimeout(timer),
    });
  };
  const cases: [body: BodyInit, code: string, headers?: Record<string, string>][] = [
    [" ".repeat(HTTP_BODY_BYTES_MAX + 1), "too-large"],
    ["x", "too-large", { "content-length": "1e9" }],
    [chunked(" ".repeat(1000), 0), "too-large"],
    [chunked(" ", 60_000), "timeout"],
    [chunked(" ", 20), "timeout"],
    ["", "malformed"],
    ["{", "malformed"],
    ["[".repeat(HTTP_BODY_BYTES_MAX), "malformed"],
    [new Uint8Array([0x22, 0xff, 0x22]), "malformed"],
  ];
  for (const [body, code, headers] of cases) {
    const request = new Request("http://10.0.0.1/", { method: "POST", body, headers: { ...JSON_TYPE, ...headers } });
    const thrown = await readJson(request, { waitMs: 200 }).catch((each) => each);
    assert(failedWith(thrown, "too-large", "timeout", "malformed") && thrown.code === code, `${code}: ${thrown}`);
  }
  const good = new Request("http://10.0.0.1/", {
    method: "POST",
    body: "5",
    headers: { "content-type": "Application/JSON; charset=utf-8" },
  });
  assertEquals(await readJson(good), 5);
});

Deno.test("one address is answered so many requests at once, others are answered meanwhile", async () => {
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

Deno.test("a flood of one address is slowed down", async () => {
  await using api = new TestApi();
  for (let asked = 0; asked < 60; asked++) await api.ask("/peers");
  assert(api.pauses.length > 30 && Math.max(...api.pauses) > 100, String(api.pauses));
  api.pauses.length = 0;
  await api.ask("/peers", {}, { ...ASKER, host: "10.0.0.6" });
  assertEquals(api.pauses, []);
});

Deno.test("a bug is told as such, without a trace, and written down with it", async () => {
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
