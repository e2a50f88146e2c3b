/**
 * The index as a program: flags, permissions, ready lines, signals, exit codes.
 * @module
 */

import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { Failure } from "../../lib/core/failure.ts";
import { testWith } from "../support/components.ts";
import { Program, runCommand, runIndex, SERVER_FLAGS, startIndex } from "../support/programs.ts";
import { IndexClient } from "../support/index_client.ts";
import { TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

Deno.test("server.ts prints one JSON ready line with exactly two permissions, and answers /healthz", async () => {
  const flags = ["run", "--no-prompt", "--allow-net", "--allow-read", "server.ts"];
  await using program = new Program([...flags, "--port", "0", "--http-port", "0", "--json"]);
  const [line] = await program.line(/^\{.*\}$/);
  const ready = JSON.parse(line);
  assertEquals([ready.event, typeof ready.port, typeof ready.httpPort], ["listening", "number", "number"]);
  const health = await fetch(`http://127.0.0.1:${ready.httpPort}/healthz`);
  assertEquals([health.status, await health.json()], [200, { status: "ok" }]);
  const other = await fetch(`http://127.0.0.1:${ready.httpPort}/other`);
  assertEquals([other.status, (await other.json()).error.code], [404, "not-found"]);
  const post = await fetch(`http://127.0.0.1:${ready.httpPort}/healthz`, { method: "POST", body: "x" });
  assertEquals(post.status, 405);
  await post.body?.cancel();
  program.kill("SIGTERM");
  assertEquals(await program.exit(), 0);
  assertEquals(program.stdout.trim().split("\n").length, 1);
  for (const each of program.stderr.trim().split("\n")) {
    const { time, level, event } = JSON.parse(each);
    assertEquals([new Date(time).toJSON(), level, event], [time, "info", "closing"]);
  }
});

testWith("unshare", ["--net", "true"], "server.ts starts without any network", async () => {
  const flags = [...SERVER_FLAGS, "server.ts", "--host", "0.0.0.0", "--port", "0", "--http-port", "0"];
  await using program = new Program(flags, { within: ["unshare", "--net"] });
  await program.line(/^index listening on /, 10_000);
});

Deno.test("server.ts says goodbye to its peers on SIGINT and exits with 0", async () => {
  await using index = await startIndex();
  await using ana = await IndexClient.connect({ host: "127.0.0.1", port: index.port });
  await ana.join("ana");
  index.program.kill("SIGINT");
  assertEquals(await index.program.exit(), 0);
  await ana.ended;
  assertEquals(ana.news, ["CLOSING"]);
  assertMatch(index.program.stderr, /ana joined from .* with 0 files/);
  assertMatch(index.program.stderr, /closing; saying goodbye to 1 peer/);
});

Deno.test("server.ts says goodbye when one Ctrl-C arrives twice, as under deno task", async () => {
  for (let round = 0; round < 5; round++) {
    await using index = await startIndex();
    index.program.kill("SIGINT");
    index.program.kill("SIGINT");
    assertEquals(await index.program.exit(), 0);
    assertMatch(index.program.stderr, /closing; saying goodbye/);
  }
});

Deno.test("a program ends at once at its second signal", async () => {
  const code = `import { firstStopSignal } from "${new URL("../../lib/cli/stop.ts", import.meta.url)}";
    firstStopSignal().then(() => console.log("stopping")); setInterval(() => {}, 1000); console.log("ready");`;
  await using program = new Program(["eval", code]);
  await program.line(/^ready$/);
  program.kill("SIGINT");
  await program.line(/^stopping$/);
  await new Promise((resolve) => setTimeout(resolve, 500));
  program.kill("SIGINT");
  assertEquals(await program.exit(), 130);
});

Deno.test("server.ts explains a wrong flag, a wrong port and a taken port in one line", async () => {
  await using index = await startIndex();
  const cases: [args: string[], code: number, says: string][] = [
    [["--prot", "1"], 2, "There is no flag --prot"],
    [["--port"], 2, "--port needs a value"],
    [["--port", "99999"], 2, 'Cannot use "99999" as a port'],
    [["--port", "x"], 2, 'Cannot use "x" as a port'],
    [["--max-peers", "0"], 2, "--max-peers"],
    [["--log-level", "loud"], 2, "write one of error, warn, info, debug"],
    [["--rates", "proofs"], 2, 'Cannot use "proofs" for --rates'],
    [["surplus"], 2, 'takes no "surplus"'],
    [["--host", "127.0.0.1", "--port", String(index.port)], 1, "another program listens there"],
    [["--host", "127.0.0.1", "--port", "0", "--http-port", String(index.httpPort)], 1, "--http-port"],
    [["--host", "256.1.1.1", "--port", "0"], 1, "Cannot listen on 256.1.1.1:0"],
  ];
  for (const [args, code, says] of cases) {
    const ended = await runIndex(...args);
    assertEquals([ended.code, ended.stdout], [code, ""], args.join(" "));
    assertStringIncludes(ended.stderr, says);
    assertEquals(ended.stderr.trim().split("\n").length, 1, ended.stderr);
  }
  const traced = await runIndex("--port", "99999", "--debug");
  assertStringIncludes(traced.stderr, "    at ");
  assertEquals(JSON.parse((await runIndex("--port", "99999", "--json")).stderr).code, "usage");
});

Deno.test("server.ts writes nothing below its --log-level", async () => {
  for (const [level, events] of [["debug", ["joined", "searched", "left"]], ["warn", []]] as const) {
    await using index = await startIndex("--log-level", level);
    const ana = await IndexClient.connect({ host: "127.0.0.1", port: index.port });
    await ana.join("ana");
    await ana.search("film");
    await ana[Symbol.asyncDispose]();
    if (events.length > 0) await eventually("it is written", () => index.program.stderr.includes("left"));
    index.program.kill("SIGTERM");
    await index.program.exit();
    for (const each of events) assertStringIncludes(index.program.stderr, `ana ${each}`);
    if (events.length === 0) assertEquals(index.program.stderr, "");
  }
});

Deno.test("server.ts --help and --version print to standard output and exit with 0", async () => {
  const help = await runIndex("--help");
  assertEquals([help.code, help.stderr], [0, ""]);
  for (const flag of ["--host", "--port", "--max-peers", "--rates", "--log-level", "--json", "--version"]) {
    assertStringIncludes(help.stdout, flag);
  }
  assertMatch((await runIndex("--version")).stdout, /^recess \d+\.\d+\.\d+\n$/);
});

Deno.test("server.ts --max-peers refuses one connection too many as busy", async () => {
  await using index = await startIndex("--max-peers", "2");
  const address = { host: "127.0.0.1", port: index.port };
  await using _one = await IndexClient.connect(address);
  await using _two = await IndexClient.connect(address);
  const third = await assertRejects(() => IndexClient.connect(address), Failure);
  assertEquals([third.code, third.retry], ["busy", true]);
  assertEquals(third.message, "Cannot serve you: all 2 places here are taken");
  assertStringIncludes(third.hint, "--max-peers");
  await using temp = await TempFolder.make();
  const peer = await runCommand({ folder: temp.path, index, name: "ana" }, "peers");
  assertEquals([peer.code, peer.stdout], [5, ""]);
  assertMatch(
    peer.stderr,
    /^error: Cannot talk to the index at \S+: Cannot serve you: all 2 places .*--max-peers\)\n$/,
  );
});

Deno.test("an index drops a killed peer at once, and a stopped one within 45 seconds", async () => {
  await using index = await startIndex();
  const address = { host: "127.0.0.1", port: index.port };
  await using watcher = await IndexClient.connect(address);
  const joins = new URL("../support/join_and_wait.ts", import.meta.url).href;
  await using killed = new Program(["run", "--allow-net", "--allow-read", joins, String(index.port), "killed"]);
  await using stopped = new Program(["run", "--allow-net", "--allow-read", joins, String(index.port), "stopped"]);
  await killed.line(/^joined$/);
  await stopped.line(/^joined$/);
  assertEquals((await watcher.search("file")).map((hit) => hit.name).sort(), ["file of killed", "file of stopped"]);
  killed.kill("SIGKILL");
  await eventually("the killed one is gone", async () => (await watcher.search("file")).length === 1, 5_000);
  stopped.kill("SIGSTOP");
  await eventually("the stopped one is gone", async () => (await watcher.search("file")).length === 0, 45_000);
});
