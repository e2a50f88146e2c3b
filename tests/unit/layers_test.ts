import { assertEquals, assertGreater } from "@std/assert";
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

/** The modules of `lib/`, with those of folders inside folders: their paths below it. */
function modules(folder = ""): string[] {
  return Array.from(Deno.readDirSync(`${PROJECT}/lib/${folder}`)).flatMap(({ name, isDirectory }) => {
    const path = `${folder}${name}`;
    return isDirectory ? modules(`${path}/`) : path.endsWith(".ts") ? [path] : [];
  });
}

/** A module without its comments, which hold examples. */
function codeOf(module: string): string {
  return Deno.readTextFileSync(`${PROJECT}/lib/${module}`).replaceAll(/\/\*[^]*?\*\/|\/\/.*$/gm, "");
}

/**
 * What a module imports of the project, types included, also where it does so while it runs: paths
 * below `lib/`.
 */
function importsOf(module: string): string[] {
  return Array.from(codeOf(module).matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g), ([, imported = ""]) => {
    return posix.join(posix.dirname(module), imported);
  });
}

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
    "store/share/hash_worker.ts",
    "store/files/place.ts",
    "store/files/unfinished_file.ts",
    "store/files/verified_copy.ts",
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
    const code = (await Deno.readTextFile(file)).replaceAll(/\/\*[^]*?\*\/|\/\/.*$/gm, "");
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
