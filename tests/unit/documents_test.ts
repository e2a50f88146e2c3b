import { assert, assertEquals } from "@std/assert";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultPeerName } from "../../lib/peer/folder/default_name.ts";
import { COMMANDS } from "../../lib/shell/commands/commands.ts";
import { generatedParts, withParts } from "../support/documents.ts";
import { PROJECT } from "../support/programs.ts";
import { seededRandom } from "../support/seeded_random.ts";

/** A document without what `deno fmt` does to its lines and the columns of its tables. */
function unaligned(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll(/-{3,}/g, "---");
}

Deno.test("the tables in the documents are those of the code (else: deno task docs)", async () => {
  for (const { file, parts } of await generatedParts()) {
    const text = await Deno.readTextFile(file);
    assert(
      unaligned(text) === unaligned(withParts(text, parts)),
      `${relative(PROJECT, fileURLToPath(file))} is out of date`,
    );
  }
});

Deno.test("README has at most 170 lines, and names every command and the task of the tests", async () => {
  const readme = await Deno.readTextFile(`${PROJECT}/README.md`);
  assert(readme.trimEnd().split("\n").length <= 170);
  for (const { name } of COMMANDS) assert(readme.includes(`\`${name}`), name);
  for (const task of ["task try", "task test"]) assert(readme.includes(`npx --yes deno@2.9.6 ${task}`), task);
});

Deno.test("README shows a name that a peer can make up for itself", async () => {
  const readme = (await Deno.readTextFile(`${PROJECT}/README.md`)).replaceAll(/\s+/g, " ");
  const example = /Without `--name NAME`, the peer makes up a name such as `(\w+-\w+)`/.exec(readme)?.[1];
  const random = seededRandom(1);
  const names = new Set(Array.from({ length: 50_000 }, () => defaultPeerName(random)));
  assert(names.has(example ?? ""), example);
});

Deno.test("SECURITY.md names only tests that exist", async () => {
  const claims = [...(await Deno.readTextFile(`${PROJECT}/SECURITY.md`)).matchAll(/"([^"]+)"/g)];
  assert(claims.length > 30);
  const tests = await allTests();
  for (const [, claim = ""] of claims) assert(tests.includes(claim.replace(/\s+/g, " ")), claim);
});

Deno.test("no test switches off a rule of the linter", async () => {
  assert(!(await allTests()).includes(["deno", "lint", "ignore"].join("-")));
});

/** The source of every test, with its line breaks made spaces. */
async function allTests(): Promise<string> {
  return (await textsIn([`${PROJECT}/tests`])).replaceAll(/\s+/g, " ");
}

/** The text of all sources below some folders. */
async function textsIn(folders: readonly string[]): Promise<string> {
  let all = "";
  const pending = [...folders];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory) pending.push(`${folder}/${name}`);
      else if (name.endsWith(".ts")) all += await Deno.readTextFile(`${folder}/${name}`);
    }
  }
  return all;
}

Deno.test("the changelog's newest release is the one in deno.json", async () => {
  const { version } = JSON.parse(await Deno.readTextFile(`${PROJECT}/deno.json`));
  const changelog = await Deno.readTextFile(`${PROJECT}/CHANGELOG.md`);
  assertEquals(/^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$/m.exec(changelog)?.[1], version);
});

Deno.test("README of the shell lists every event that a peer prints with --json", async () => {
  const readme = await Deno.readTextFile(`${PROJECT}/lib/shell/README.md`);
  const sources = await textsIn([`${PROJECT}/lib/shell`, `${PROJECT}/lib/cli`, `${PROJECT}/lib/peer`]);
  const events = [
    ...`${sources} ${await Deno.readTextFile(`${PROJECT}/peer.ts`)}`.matchAll(/(?<!\()\bevent: "([a-z-]+)"/g),
  ];
  assert(events.length > 30);
  for (const [, event = ""] of events) assert(readme.includes(`\`${event}\``), event);
});
