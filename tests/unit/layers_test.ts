import { assertEquals } from "@std/assert";
import { PROJECT } from "../support/programs.ts";

/** Which folder of `lib/` may import which others: lib/README.md, "Layers". */
const MAY_IMPORT: Record<string, readonly string[]> = {
  core: [],
  protocol: ["core"],
  index: ["core"],
  store: ["core"],
  net: ["protocol", "core"],
  server: ["index", "net", "protocol", "core"],
  transfer: ["store", "net", "protocol", "core"],
  peer: ["transfer", "store", "net", "protocol", "core"],
  shell: ["peer", "core"],
};

function modulesOf(folder: string): string[] {
  return Array.from(Deno.readDirSync(`${PROJECT}/lib/${folder}`), (entry) => entry.name).filter((name) =>
    name.endsWith(".ts")
  );
}

Deno.test("imports point down the layer table only", async () => {
  const wrong: string[] = [];
  for (const [folder, allowed] of Object.entries(MAY_IMPORT)) {
    for (const name of modulesOf(folder)) {
      const source = await Deno.readTextFile(`${PROJECT}/lib/${folder}/${name}`);
      for (const [, imported = ""] of source.matchAll(/from "\.\.\/(\w+)\//g)) {
        if (!allowed.includes(imported)) wrong.push(`lib/${folder}/${name} imports lib/${imported}`);
      }
      if (/from "(\.\.\/)+(server|peer)\.ts"/.test(source)) wrong.push(`lib/${folder}/${name} imports a program`);
    }
  }
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
  [/Deno\.serve\(/, ["server/http_server.ts"]],
  [/createSocket\(/, ["net/datagrams.ts"]],
  [/Deno\.(open|openSync)\(/, [
    "store/disk_reserve.ts",
    "store/folder.ts",
    "store/hash_worker.ts",
    "store/place.ts",
    "store/unfinished_file.ts",
    "store/verified_copy.ts",
  ]],
  [/console\./, []],
  [/Deno\.(stdout|stderr)\.write/, ["shell/output.ts"]],
  [/process\.stdout\.write/, ["shell/terminal.ts"]],
  [/consoleSize\(/, ["shell/screen_text.ts"]],
];

Deno.test("sockets, files and the screen are each touched in one place", async () => {
  for (const [what, where] of ONLY_IN) {
    const found: string[] = [];
    for (const folder of Object.keys(MAY_IMPORT)) {
      for (const name of modulesOf(folder)) {
        const source = await Deno.readTextFile(`${PROJECT}/lib/${folder}/${name}`);
        const code = source.replaceAll(/\/\*[^]*?\*\/|\/\/.*$/gm, "");
        if (what.test(code)) found.push(`${folder}/${name}`);
      }
    }
    assertEquals(found.filter((each) => !where.includes(each)), [], String(what));
  }
});
