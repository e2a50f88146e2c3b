import { assert, assertEquals } from "@std/assert";
import { systemClock } from "../../../lib/core/flow/clock.ts";
import type { Failure } from "../../../lib/core/failure.ts";
import { HttpAccess } from "../../../lib/http/access.ts";
import { HttpApi } from "../../../lib/http/api.ts";
import { openApi } from "../../../lib/http/openapi.ts";
import { type HttpRoute, httpRoute } from "../../../lib/http/route.ts";
import { StoredBody } from "../../../lib/http/stored_body.ts";
import { text } from "../../../lib/protocol/field.ts";
import { Documented } from "../../support/documented.ts";

const BYTES = new TextEncoder().encode("0123456789");
const TYPE = "text/plain";
const REMOTE = { host: "10.0.0.5", port: 50_000 };

/** What the routes of these tests work with: a greeting. */
type Greeting = string;

const ROUTES: readonly HttpRoute<Greeting>[] = [
  httpRoute("GET", "/files/{root}", {
    operation: "file",
    about: "A file.",
    hasRanges: true,
    segment: text({ bytesMax: 8 }),
    answers: { 200: { about: "Its bytes.", type: TYPE } },
    answer: (_, { segment }) =>
      Promise.resolve({
        body: new StoredBody({
          size: BYTES.length,
          type: TYPE,
          tag: segment,
          open: () =>
            Promise.resolve({
              readAt(target, start) {
                target.set(BYTES.subarray(start, start + target.length));
                return Promise.resolve(target.length);
              },
              [Symbol.dispose]() {},
            }),
        }),
      }),
  }),
  httpRoute("GET", "/page", {
    operation: "page",
    about: "A page with a policy of its own.",
    isOpen: true,
    answers: { 200: { about: "The page.", type: "text/html" } },
    answer: (greeting) =>
      Promise.resolve({
        body: greeting,
        headers: { "content-type": "text/html", "content-security-policy": "default-src 'self'" },
      }),
  }),
  httpRoute("GET", "/bug", {
    operation: "bug",
    about: "Fails.",
    answers: {},
    answer: () => Promise.reject(new TypeError("a bug")),
  }),
];

/** An API of these routes, with what it reports. */
function startApi() {
  const answered: string[] = [];
  const refused: Failure[] = [];
  const bugs: unknown[] = [];
  const api = new HttpApi({
    routes: ROUTES,
    parts: "hello",
    clock: systemClock,
    access: new HttpAccess({ clock: systemClock, perSecond: 1000, hostNames: [] }),
    onAnswered: (operation) => answered.push(operation),
    onRefused: (failure) => refused.push(failure),
    onBug: (thrown) => bugs.push(thrown),
  });
  const ask = (path: string, headers: Record<string, string> = {}): Promise<Response> => {
    return api.answer(new Request(`http://10.0.0.1${path}`, { headers: { host: "10.0.0.1", ...headers } }), REMOTE);
  };
  return { ask, answered, refused, bugs };
}

Deno.test("HttpApi sends a range of a stored body, as the OpenAPI document describes it", async () => {
  const { ask } = startApi();
  const documented = new Documented(openApi({ title: "Test", description: "", routes: ROUTES, schemas: {} }));
  const cases: [range: string, status: number, body: string | undefined][] = [
    ["bytes=2-4", 206, "234"],
    ["bytes=-2", 206, "89"],
    ["bytes=x", 200, "0123456789"],
    ["bytes=10-", 416, undefined],
  ];
  for (const [range, status, body] of cases) {
    const response = await ask("/files/abc", { range });
    assertEquals(response.status, status, range);
    await documented.check("GET", "/files/abc", response);
    if (body !== undefined) assertEquals(await response.text(), body, range);
  }
});

Deno.test("HttpApi checks the text in the place of {...} by the field of the route", async () => {
  const { ask, refused } = startApi();
  assertEquals((await ask("/files/much_too_long")).status, 400);
  assertEquals(refused.map(({ code }) => code), ["malformed"]);
});

Deno.test("HttpApi keeps the policy that a route sends, and adds its own to all other answers", async () => {
  const { ask } = startApi();
  const page = await ask("/page");
  assertEquals([page.headers.get("content-security-policy"), await page.text()], ["default-src 'self'", "hello"]);
  assertEquals(page.headers.get("x-content-type-options"), "nosniff");
  const missing = await ask("/nothing");
  assertEquals(missing.headers.get("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
});

Deno.test("HttpApi reports answers, failures and bugs", async () => {
  const { ask, answered, refused, bugs } = startApi();
  for (const path of ["/page", "/bug", "/nothing"]) await ask(path);
  assertEquals(answered, ["page", "bug", ""]);
  assertEquals(refused.map(({ code }) => code), ["internal", "not-found"]);
  assert(bugs.length === 1 && bugs[0] instanceof TypeError);
});
