/**
 * What people are handed: the bundles run by themselves, and `deno compile` embeds all it needs.
 * The compiled program itself cannot be run where its runtime cannot be downloaded: here
 * `DENORT_BIN` names the deno that is there, which makes the same file with the wrong runtime.
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { HASH_WORKER } from "../../lib/store/share/hash_worker.ts";
import { PEER_FLAGS, Program, PROJECT, SERVER_FLAGS } from "../support/programs.ts";
import { sameFiles, TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

/** A task's command as deno.json has it, with `dist` elsewhere. */
async function taskCommand(name: string, dist: string): Promise<string> {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${PROJECT}/deno.json`));
  return tasks[name].replaceAll("dist/", `${dist}/`);
}

async function shell(command: string, env: Record<string, string> = {}): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("sh", { args: ["-c", command], cwd: PROJECT, env })
    .output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert(success, text);
  return text;
}

Deno.test("each bundle is one file, and shares, hashes and downloads without the project", async () => {
  await using temp = await TempFolder.make();
  const dist = await temp.folder("dist");
  await shell(await taskCommand("bundle", dist));
  assertEquals(Array.from(Deno.readDirSync(dist), ({ name }) => name).sort(), ["peer.js", "server.js"]);
  const source = await temp.file("ana/aula 1.mp4", 5_000_000);
  await temp.folder("rui");
  const start = (flags: readonly string[], ...args: string[]): Program => {
    const [run = "", ...permissions] = flags;
    return new Program([run, "--no-config", ...permissions, ...args], { cwd: temp.path });
  };
  await using index = start(SERVER_FLAGS, "dist/server.js", "--host", "127.0.0.1", "--port", "0", "--http-port", "0");
  const [, port] = await index.line(/^index listening on \S+:(\d+), http/);
  const at = ["--host", "127.0.0.1", "--index", `127.0.0.1:${port}`];
  await using ana = start(PEER_FLAGS, "dist/peer.js", "ana", ...at, "--name", "ana");
  await ana.line(/^peer ana listening/);
  // A root is there only when the worker has run.
  await eventually("the file is hashed", async () => {
    await using ls = start(PEER_FLAGS, "dist/peer.js", "rui", ...at, "--json", "ls", "ana");
    assertEquals(await ls.exit(), 0, ls.stderr);
    return ls.stdout.includes('"root"');
  });
  await using get = start(PEER_FLAGS, "dist/peer.js", "rui", ...at, "get", "aula 1.mp4");
  assertEquals(await get.exit(), 0, get.stderr);
  assert(await sameFiles(source, temp.at("rui/aula 1.mp4")));
});

Deno.test("deno compile embeds every module, the hash worker only where it is needed", async () => {
  await using temp = await TempFolder.make();
  const printed = await shell(await taskCommand("compile", temp.path), { DENORT_BIN: Deno.execPath(), NO_COLOR: "1" });
  assertEquals(printed.match(/^Embedded Files$/gm)?.length, 2);
  const holds = async (program: string, text: string): Promise<boolean> => {
    const args = ["--quiet", "--fixed-strings", text, temp.at(program)];
    return (await new Deno.Command("grep", { args }).output()).success;
  };
  assert(await holds("recess-server", "usage: deno run --allow-net --allow-read server.ts"));
  assert(await holds("recess-peer", "usage: deno task peer FOLDER"));
  assert(await holds("recess-peer", HASH_WORKER));
  assert(!await holds("recess-server", HASH_WORKER));
});
