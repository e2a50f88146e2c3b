import { assertEquals, assertGreater } from "@std/assert";
import { circlesOf, codeOf, foldersOf, importsOf, modules, withoutComments } from "../support/modules.ts";
import { posix } from "node:path";
import { PROJECT } from "../support/programs.ts";

/** Which folder of `lib/` may import which others: lib/README.md, "Layers". */
const MAY_IMPORT: Record<string, readonly string[]> = {
  core: [],
  protocol: ["core"],
  cli: ["core"],
  index: ["core"],
  store: ["core"],
  net: ["protocol", "core"],
  pictures: ["net", "protocol", "core"],
  http: ["net", "protocol", "core"],
  server: ["index", "http", "net", "protocol", "core"],
  transfer: ["store", "net", "protocol", "core"],
  peer: ["transfer", "pictures", "store", "net", "protocol", "core"],
  shell: ["cli", "peer", "core"],
};

const IMPORTS = new Map(modules().map((module) => [module, importsOf(module)]));

function folderOf(module: string): string {
  return module.split("/", 1)[0] ?? "";
}

Deno.test("imports point down the layer table only", () => {
  const wrong: string[] = [];
  for (const [module, imports] of IMPORTS) {
    const folder = folderOf(module);
    const allowed = [folder, ...(MAY_IMPORT[folder] ?? [])];
    for (const imported of imports) {
      const isMetadata = imported === "../deno.json";
      if (!isMetadata && !allowed.includes(folderOf(imported))) wrong.push(`lib/${module} imports lib/${imported}`);
    }
  }
  assertGreater(IMPORTS.size, 200);
  assertEquals(wrong, []);
});

Deno.test("no import of lib leads back to where it began, between modules and between folders", () => {
  const folders = foldersOf(IMPORTS);
  const arrows = [...IMPORTS.values()].flat().length;
  const circles = [...circlesOf(IMPORTS), ...circlesOf(folders)];
  console.log(`${IMPORTS.size} modules in ${folders.size} folders, ${arrows} imports, ${circles.length} circles`);
  assertEquals(circles, []);
});

/** The rooms of lib/peer from the lowest; those of one line do not import each other. */
const PEER_ROOMS = [["session", "folder"], ["find"], ["get", "serve"], ["inbox", "talk"], ["pictures"]];

Deno.test("rooms of lib/peer import only rooms below them, and none of the files that put them together", () => {
  const rooms = [...foldersOf(IMPORTS)].filter(([folder]) => folder.startsWith("peer/"));
  assertEquals(rooms.map(([folder]) => folder).sort(), PEER_ROOMS.flat().map((room) => `peer/${room}`).sort());
  const wrong = rooms.flatMap(([folder, others]) => {
    const floor = PEER_ROOMS.findIndex((names) => names.some((name) => folder === `peer/${name}`));
    const below = PEER_ROOMS.slice(0, floor).flat().map((room) => `peer/${room}`);
    const above = others.filter((other) => folderOf(`${other}/`) === "peer" && !below.includes(other));
    return above.map((other) => `${folder} imports ${other}`);
  });
  assertEquals(wrong, []);
});

Deno.test("circlesOf() finds a circle of three, and foldersOf() one of two folders", () => {
  const graph = new Map([["a/x.ts", ["b/y.ts"]], ["b/y.ts", ["c/z.ts"]], ["c/z.ts", ["a/x.ts"]], ["d/w.ts", [
    "a/x.ts",
  ]]]);
  assertEquals(circlesOf(graph)[0], ["a/x.ts", "b/y.ts", "c/z.ts", "a/x.ts"]);
  assertEquals(circlesOf(graph).length, 3);
  const rooms = new Map([["a/x.ts", ["b/y.ts"]], ["b/y.ts", []], ["b/z.ts", ["a/w.ts"]], ["a/w.ts", []]]);
  assertEquals(circlesOf(rooms), []);
  assertEquals(circlesOf(foldersOf(rooms))[0], ["a", "b", "a"]);
});

/** The most source files of a folder. */
const FILES_MAX = 20;
/** The most of `lib/peer`, which has rooms for everything else. */
const PEER_FILES_MAX = 6;

Deno.test("no folder of lib has more files than a reader can look over", () => {
  const files = Map.groupBy(IMPORTS.keys(), (module) => posix.dirname(module));
  const crowded = files.entries().filter(([folder, { length }]) => {
    return length > (folder === "peer" ? PEER_FILES_MAX : FILES_MAX);
  });
  assertEquals([...crowded], []);
});

Deno.test("every folder of lib is in the layer table", () => {
  const folders = Array.from(Deno.readDirSync(`${PROJECT}/lib`)).filter((entry) => entry.isDirectory);
  assertEquals(folders.map((entry) => entry.name).sort(), Object.keys(MAY_IMPORT).sort());
});

/** What only one place may do, so that there is one place to look at. */
const ONLY_IN: [what: RegExp, where: string[]][] = [
  [/Deno\.connect\(/, ["net/dial.ts"]],
  [/Deno\.listen\(/, ["net/listener.ts"]],
  [/Deno\.serve\(/, []],
  [/createSocket\(/, ["net/datagrams.ts"]],
  [/Deno\.(open|openSync)\(/, [
    "store/files/disk_reserve.ts",
    "store/files/folder.ts",
    "store/files/state_folder.ts",
    "store/share/hash_worker.ts",
    "store/files/place.ts",
    "store/files/unfinished_file.ts",
    "store/files/verified_copy.ts",
    "store/small/small_places.ts",
  ]],
  [/console\./, []],
  [/Deno\.(stdout|stderr)\.write/, ["cli/streams.ts"]],
  [/process\.stdout\.write/, ["shell/screen/terminal.ts"]],
  [/consoleSize\(/, ["cli/screen_text.ts"]],
];

Deno.test("sockets, files and the screen are each touched in one place", () => {
  for (const [what, where] of ONLY_IN) {
    const found = [...IMPORTS.keys()].filter((module) => what.test(codeOf(module)));
    assertEquals(found.filter((each) => !where.includes(each)), [], String(what));
  }
});

Deno.test("an optional field is declared with undefined, not left out by a spread of an empty object", async () => {
  const found: string[] = [];
  const files = await Array.fromAsync(sourcesOf(PROJECT));
  for (const file of files) {
    const code = withoutComments(await Deno.readTextFile(file));
    const spreads = code.matchAll(/\.\.\.\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)/g);
    found.push(...spreads.filter(([spread]) => /[?:] \{\}/.test(spread)).map(([spread]) => `${file}: ${spread}`));
  }
  assertGreater(files.length, 400);
  assertEquals(found, []);
});

/** Every TypeScript file of the project. */
async function* sourcesOf(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (name.startsWith(".") || name === "node_modules" || name === "dist") continue;
    if (isDirectory) yield* sourcesOf(`${folder}/${name}`);
    else if (name.endsWith(".ts")) yield `${folder}/${name}`;
  }
}
