import { assert, assertEquals } from "@std/assert";
import { describeApi, HTTP_ROUTES } from "../../../../lib/server/http/routes.ts";
import { HTTP_SCHEMAS } from "../../../../lib/server/http/shapes.ts";
import { Documented } from "../../../support/documented.ts";
import { TestApi } from "../../../support/http_api.ts";
import { PROJECT } from "../../../support/programs.ts";
import { seededRandom } from "../../../support/seeded_random.ts";

/** Whether a validator that is not ours takes a document. */
async function validate(document: unknown): Promise<{ valid: boolean; errors?: unknown }> {
  const folder = `${PROJECT}/tests/openapi`;
  const args = [
    "run",
    "--quiet",
    "--no-prompt",
    "--allow-read",
    "--config",
    `${folder}/deno.json`,
    `${folder}/validate.ts`,
  ];
  const child = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped" }).spawn();
  await ReadableStream.from([JSON.stringify(document)]).pipeThrough(new TextEncoderStream()).pipeTo(child.stdin);
  return JSON.parse(new TextDecoder().decode((await child.output()).stdout));
}

Deno.test("/openapi.json is valid OpenAPI 3.1, and describes all routes and no others", async () => {
  await using api = new TestApi();
  const document = await (await api.ask("/openapi.json")).json();
  assertEquals(await validate(document), { valid: true });
  const wrong = { ...document, paths: { "/peers": { get: { responses: 5 } } } };
  assertEquals((await validate(wrong)).valid, false);
  assertEquals(
    new Documented(document).operations.sort(),
    HTTP_ROUTES.map((each) => `${each.method} ${each.path}`).sort(),
  );
  const operations = HTTP_ROUTES.map((each) => each.operation);
  assertEquals(new Set(operations).size, operations.length);
});

Deno.test("all documented routes answer, GET also as HEAD, and other paths do not", async () => {
  // TestApi compares every answer with the document.
  await using api = new TestApi();
  const { token } = await (await api.register({ name: "chat", port: 5000 })).json();
  const headers = { "x-recess-token": token };
  for (const { method, path } of HTTP_ROUTES.filter((each) => each.method !== "POST").toSorted(byMethod)) {
    const at = path.replace("{name}", "chat");
    if (method === "GET") assertEquals((await api.ask(at, { method: "HEAD" })).status, 200, at);
    const response = await api.ask(at, { method, headers });
    assertEquals(response.status, method === "DELETE" ? 204 : 200, at);
    assertEquals((await api.ask(`${at}/x/y`, { method })).status, 404);
  }
});

/** DELETE last, so that there is something to ask for before. */
function byMethod(a: { readonly method: string }, b: { readonly method: string }): number {
  return Number(a.method === "DELETE") - Number(b.method === "DELETE");
}

Deno.test("every value that a field accepts fits its schema in /openapi.json", () => {
  const documented = new Documented(describeApi());
  const random = seededRandom(6);
  for (const [name, field] of Object.entries(HTTP_SCHEMAS)) {
    for (let sample = 0; sample < 200; sample++) documented.checkValue(name, field.sample(random));
  }
});

Deno.test("no program fetches the validator of the document, or has it compiled in", async () => {
  // Deno fetches and compiles in whatever this names.
  assert(!/openapi|ajv/.test(await Deno.readTextFile(`${PROJECT}/deno.lock`)));
});
