import { assertEquals, assertGreater } from "@std/assert";
import { INDEX_NEWS, INDEX_REQUESTS, PEER_NEWS, PEER_REQUESTS, RECORDS } from "../../../lib/protocol/catalogue.ts";
import { SESSION_ROUTES } from "../../../lib/server/session_routes.ts";
import { PROJECT } from "../../support/programs.ts";

const REQUESTS = [...INDEX_REQUESTS, ...PEER_REQUESTS];
const NEWS = [...INDEX_NEWS, ...PEER_NEWS];

Deno.test("the catalogue holds every message that lib/protocol defines", async () => {
  const names = [...REQUESTS.map(({ method }) => method), ...NEWS.map(({ event }) => event)];
  const defined: string[] = [];
  for await (const { name } of Deno.readDir(`${PROJECT}/lib/protocol`)) {
    if (!name.endsWith(".ts")) continue;
    const source = await Deno.readTextFile(`${PROJECT}/lib/protocol/${name}`);
    defined.push(...source.matchAll(/= (?:request|news)\("(\w+)"/g).map(([, message = ""]) => message));
  }
  assertGreater(defined.length, 20);
  assertEquals(defined.filter((name) => !names.includes(name)), []);
});

Deno.test("the catalogue's requests to an index are those that its sessions answer", () => {
  const answered = [...SESSION_ROUTES.keys(), "HELLO", "PROVE"];
  assertEquals(INDEX_REQUESTS.map(({ method }) => method).sort(), answered.sort());
});

Deno.test("the catalogue describes every record that a message names", () => {
  const shapes = [
    ...REQUESTS.flatMap(({ shapes }) => [shapes.data, shapes.reply]),
    ...NEWS.map(({ shapes }) => shapes.data),
  ];
  const fields = [...shapes, ...RECORDS.map(({ fields }) => fields)].flatMap((shape) => Object.values(shape));
  const mentioned = new Set(fields.flatMap(({ shape }) => shape.match(/\b[A-Z][A-Za-z]*\b/g) ?? []));
  assertEquals([...mentioned].sort(), RECORDS.map(({ name }) => name).sort());
});
