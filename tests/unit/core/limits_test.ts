import { assertEquals, assertGreater } from "@std/assert";
import * as limits from "../../../lib/core/limits.ts";
import { PROJECT } from "../../support/programs.ts";

/** Every TypeScript file below a folder of the project. */
function* filesBelow(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(`${PROJECT}/${folder}`)) {
    if (isDirectory) yield* filesBelow(`${folder}/${name}`);
    else if (name.endsWith(".ts")) yield `${folder}/${name}`;
  }
}

Deno.test("every bound is in the table, once", async () => {
  const page = await Deno.readTextFile(`${PROJECT}/lib/core/README.md`);
  const rows = Array.from(page.matchAll(/^\| `([A-Z0-9_]+)` +\|/gm), ([, name]) => name);
  assertEquals(rows.sort(), Object.keys(limits).sort());
});

Deno.test("every bound is used", () => {
  const files = ["peer.ts", "server.ts", ...filesBelow("lib")];
  const code = files.map((file) => Deno.readTextFileSync(`${PROJECT}/${file}`)).join("\n");
  assertGreater(files.length, 200);
  const uses = new Map<string, number>();
  for (const [name] of code.matchAll(/\b[A-Z][A-Z0-9_]+\b/g)) uses.set(name, (uses.get(name) ?? 0) + 1);
  assertEquals(Object.keys(limits).filter((name) => (uses.get(name) ?? 0) < 2), []);
});
