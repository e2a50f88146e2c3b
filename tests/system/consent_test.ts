/**
 * Consent between real programs: the owner is asked and answers in the shell, and the waiting peer
 * sees that.
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { ask, greet } from "../../lib/net/caller.ts";
import { dial } from "../../lib/net/dial.ts";
import { Identity } from "../../lib/net/identity.ts";
import { Download, Pieces } from "../../lib/protocol/files.ts";
import { type PeerArgs, runCommand, startCommand, startIndex, startPeer } from "../support/programs.ts";
import { sameFiles, TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

Deno.test("--consent ask: a refused download exits with 4, and always allows all downloads of a peer", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  for (const [number, name] of ["a.bin", "b.bin", "c.bin"].entries()) {
    await temp.file(`ana/${name}`, 3_000_000, number + 1);
  }
  const options: PeerArgs = { folder: temp.at("ana"), index, name: "ana", stdin: "piped", args: ["--consent", "ask"] };
  await using ana = await startPeer(options);
  const rui: PeerArgs = { folder: temp.at("rui"), index, name: "rui" };
  {
    await using get = startCommand(rui, "get", "a.bin");
    await waitFor(ana.program, /Request 1: rui \(\S+\) wants to download "a\.bin" \(3\.00 MB\)/);
    await ana.program.type("nao");
    assertEquals(await get.exit(), 4, get.stderr);
    assertMatch(get.stderr, /error: The owner refused to send "a\.bin"/);
  }
  {
    await using get = startCommand(rui, "get", "a.bin");
    await waitFor(ana.program, /Request 2: /);
    await ana.program.type("always 2");
    assertEquals(await get.exit(), 0, get.stderr);
  }
  // From now on, and also after a restart, nobody is asked about this peer.
  assertEquals((await runCommand(rui, "get", "b.bin")).code, 0);
  ana.program.kill("SIGTERM");
  await ana.program.exit();
  await using again = await startPeer(options);
  assertEquals((await runCommand(rui, "get", "c.bin")).code, 0);
  assert(await sameFiles(temp.at("ana/c.bin"), temp.at("rui/c.bin")));
  assert(!again.program.stderr.includes("Request "), again.program.stderr);
});

Deno.test("--consent ask: a receiver sees that it waits, and gets the allowed files of a folder", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await temp.file("ana/week/a.bin", 1000, 1);
  await temp.file("ana/week/b.bin", 1000, 2);
  const options: PeerArgs = { folder: temp.at("ana"), index, name: "ana", stdin: "piped", args: ["--consent", "ask"] };
  await using ana = await startPeer(options);
  await using get = startCommand({ folder: temp.at("rui"), index, name: "rui" }, "get", "week/");
  for (const number of [1, 2]) {
    await waitFor(ana.program, new RegExp(`Request ${number}: `));
    await waitFor(get, /asking ana for consent/);
    const isAboutB = new RegExp(`Request ${number}: .*"week/b\\.bin"`).test(ana.program.stderr);
    await ana.program.type(isAboutB ? "nao" : "sim");
  }
  assertEquals(await get.exit(), 4, get.stderr);
  assertMatch(get.stderr, /Not downloaded: week\/b\.bin: The owner refused/);
  assert(await sameFiles(temp.at("ana/week/a.bin"), temp.at("rui/week/a.bin")));
});

Deno.test("--consent deny: files are found, and every download is refused", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await temp.file("ana/a.bin", 1000);
  await using _ana = await startPeer({ folder: temp.at("ana"), index, name: "ana", args: ["--consent", "deny"] });
  const rui: PeerArgs = { folder: temp.at("rui"), index, name: "rui" };
  assertEquals((await runCommand(rui, "search", "a")).code, 0);
  const got = await runCommand(rui, "get", "a.bin");
  assertEquals(got.code, 4, got.stderr);
  const wrong = await runCommand({ ...rui, args: ["--consent", "maybe"] }, "files");
  assertEquals(wrong.code, 2);
});

Deno.test("--consent ask: a stranger gets no digest before the owner allows it, once for each file", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await temp.file("ana/exam.bin", 3_000_000, 1);
  const args = ["--plain", "--consent", "ask"];
  await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana", stdin: "piped", args });
  const [, port] = await ana.program.line(/listening on \S+:(\d+)/);
  using connection = await dial({ host: "127.0.0.1", port: Number(port) });
  await greet(connection, { name: "rui", identity: await Identity.make() });
  const question = { name: "exam.bin", from: 0, limit: 3 };
  for (const [number, answer] of [[1, "nao"], [2, "sim"]] as const) {
    const news = Promise.withResolvers<string>();
    const asking = ask(connection, Pieces, question, { onNews: news.resolve });
    const ended = asking.then(() => "digests", (thrown) => thrown.code);
    assertEquals(await Promise.race([news.promise, ended]), "ASKING");
    await waitFor(ana.program, new RegExp(`Request ${number}: .*wants to download "exam\\.bin"`));
    await ana.program.type(answer);
    assertEquals(await ended, answer === "nao" ? "refused" : "digests");
    // Of a file that is being hashed there are only some yet.
    if (answer === "sim") await connection.readBody(new Uint8Array((await asking).bodyBytes));
  }
  // A peer that may have the digests may have the bytes.
  await ask(connection, Download, { name: "exam.bin", start: 0, end: 1 });
  assert(!ana.program.stderr.includes("Request 3"), ana.program.stderr);
});

Deno.test("a download that waits for one owner's consent takes its pieces from another owner", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await temp.file("ana/a.bin", 3_000_000, 1);
  await temp.file("bia/a.bin", 3_000_000, 1);
  const options: PeerArgs = { folder: temp.at("ana"), index, name: "ana", stdin: "piped", args: ["--consent", "ask"] };
  await using ana = await startPeer(options);
  await using get = startCommand({ folder: temp.at("rui"), index, name: "rui" }, "get", "a.bin");
  await waitFor(ana.program, /Request 1: /);
  await waitFor(get, /asking ana for consent/);
  await using _bia = await startPeer({ folder: temp.at("bia"), index, name: "bia" });
  assertEquals(await get.exit(), 0, get.stderr);
  assert(await sameFiles(temp.at("ana/a.bin"), temp.at("rui/a.bin")));
});

/** Waits until a program says something to people. */
async function waitFor(program: { readonly stderr: string }, pattern: RegExp): Promise<void> {
  await eventually(String(pattern), () => pattern.test(program.stderr));
}
