/**
 * Classroom A's own clients, which speak JSON, against the real programs.
 * @module
 */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { Failure } from "../../lib/core/failure.ts";
import { DIALECT_FILES_MAX, DIALECT_REQUEST_BYTES_MAX } from "../../lib/core/limits.ts";
import { IndexClient } from "../support/index_client.ts";
import { askJson, ClassmateServer, downloadJson, readOnce, sayOnce, writeAll } from "../support/classmate.ts";
import { type PeerArgs, runCommand, runIndex, type RunningPeer, startIndex, startPeer } from "../support/programs.ts";
import { TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

const PLAIN = ["--plain"];

function portOf({ program }: RunningPeer): number {
  return Number(/listening on \S+:(\d+)/.exec(program.stdout)?.[1]);
}

Deno.test("classroom A: JOIN, SEARCH, UPDATE and DOWNLOAD_REQUEST work, with and without a line feed", async () => {
  await using index = await startIndex();
  const { port } = index;
  assertEquals(
    await sayOnce(port, '{"method": "JOIN", "data": {"files": ["a.mp4", "b.mp4"], "port": 8776}}'),
    "JOIN_OK",
  );
  assertEquals(await askJson(port, "JOIN", { files: ["a.mp4"], port: 8777 }), "JOIN_OK");
  assertEquals(await sayOnce(port, '{"method":"SEARCH","data":{"query":"b.mp4"}}'), '["127.0.0.1:8776"]');
  assertEquals(JSON.parse(await sayOnce(port, '{"method":"SEARCH","data":{"query":"a.mp4"}}\n') ?? "").toSorted(), [
    "127.0.0.1:8776",
    "127.0.0.1:8777",
  ]);
  assertEquals(await askJson(port, "SEARCH", { query: "nobody has this.mp4" }), "[]");
  assertEquals(await askJson(port, "DOWNLOAD_REQUEST", { filename: "b.mp4", port: 8776 }), "OK");
  assertEquals(await askJson(port, "DOWNLOAD_REQUEST", { filename: "b.mp4", port: 8777 }), "Arquivo não encontrado");
  assertEquals(await askJson(port, "UPDATE", { filename: "b.mp4", port: 8777 }), "UPDATE_OK");
  assertEquals(await askJson(port, "DOWNLOAD_REQUEST", { filename: "b.mp4", port: 8777 }), "OK");
  await eventually("the journal tells it", () => {
    return index.program.stderr.includes("127.0.0.1:8776 joined from 127.0.0.1:8776 with 2 files");
  });

  // Many requests over one connection, too; without a port it is the connection's own.
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const own = `127.0.0.1:${(conn.localAddr as Deno.NetAddr).port}`;
  for (
    const [request, answer] of [
      [{ method: "JOIN", data: { files: ["d.mp4"] } }, "JOIN_OK"],
      [{ method: "UPDATE", data: { files: ["e.mp4"] } }, "UPDATE_OK"],
      [{ method: "SEARCH", data: { query: "e.mp4" } }, `["${own}"]`],
    ] as const
  ) {
    await writeAll(conn, JSON.stringify(request));
    assertEquals(await readOnce(conn), answer);
  }
});

Deno.test("classroom A: JOIN accepts 3,000 files in one request, and UPDATE replaces the list of files", async () => {
  await using index = await startIndex();
  const { port } = index;
  const files = Array.from({ length: 3_000 }, (_, number) => `aula número ${number} de banco de dados.mp4`);
  const request = JSON.stringify({ method: "JOIN", data: { files, port: 8776 } });
  assert(request.length > 70_000);
  assertEquals(await sayOnce(port, request), "JOIN_OK");
  assertEquals(await askJson(port, "SEARCH", { query: files.at(-1) }), '["127.0.0.1:8776"]');
  // What was deleted is not found afterwards.
  assertEquals(
    await askJson(port, "UPDATE", { files: ["a.mp4", "aula número 7 de banco de dados.mp4"], port: 8776 }),
    "UPDATE_OK",
  );
  assertEquals(await askJson(port, "SEARCH", { query: files.at(-1) }), "[]");
  assertEquals(await askJson(port, "UPDATE", { filename: "b.mp4", port: 8776 }), "UPDATE_OK");
  for (const query of ["a.mp4", "b.mp4", "aula número 7 de banco de dados.mp4"]) {
    assertEquals(await askJson(port, "SEARCH", { query }), '["127.0.0.1:8776"]', query);
  }
});

Deno.test("classroom A: a client downloads our file, and the index ignores the host that it claims", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const film = await temp.file("ana/vídeos/aula 1.mp4", 5_000_000);
  await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana", args: PLAIN });
  await temp.file("rui/hidden.mp4", 10);
  await using _encrypted = await startPeer({ folder: temp.at("rui"), index, name: "rui" });
  const port = portOf(ana);
  await eventually(
    "both are listed",
    () => /rui lists 1 file/.test(index.program.stderr) && /ana lists/.test(index.program.stderr),
  );
  assertEquals(await askJson(index.port, "SEARCH", { query: "aula 1.mp4" }), `["127.0.0.1:${port}"]`);
  // A peer that speaks only with encryption is of no use to it.
  assertEquals(await askJson(index.port, "SEARCH", { query: "hidden.mp4" }), "[]");
  for (const name of ["aula 1.mp4", "vídeos/aula 1.mp4"]) {
    const got = await downloadJson(port, name, "WHATEVER");
    assertEquals(got.header, '{"status":"OK","file_size":5000000,"data":"SIM"}');
    assert(sameBytes(got.bytes, await Deno.readFile(film)));
  }
  assertEquals((await downloadJson(port, "absent.mp4")).header, '{"status":"FILE_NOT_FOUND"}');
  for (const outside of ["../rui/hidden.mp4", "/etc/passwd", ".recess/identity.pem"]) {
    assertEquals((await downloadJson(port, outside)).header, '{"status":"FILE_NOT_FOUND"}', outside);
  }
  assertEquals(await askJson(index.port, "JOIN", { files: ["x.mp4"], ip: "8.8.8.8", port: 80 }), "JOIN_OK");
  assertEquals(await askJson(index.port, "SEARCH", { query: "x.mp4" }), '["127.0.0.1:80"]');
});

Deno.test("classroom A: an owner answers a request with SIM or NAO", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await temp.file("ana/a.mp4", 3_000);
  await temp.file("ana/b.mp4", 3_000);
  const args = [...PLAIN, "--consent", "ask"];
  await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana", stdin: "piped", args });
  const asks = (number: number): Promise<unknown> =>
    eventually("the owner is asked", () => ana.program.stderr.includes(`Request ${number}: 127.0.0.1 wants`));
  const refused = downloadJson(portOf(ana), "a.mp4");
  await asks(1);
  await ana.program.type("n");
  assertEquals((await refused).header, '{"status":"OK","file_size":3000,"data":"NAO"}');
  const accepted = downloadJson(portOf(ana), "b.mp4");
  await asks(2);
  await ana.program.type("s");
  assertEquals((await accepted).bytes.length, 3_000);
});

Deno.test("classroom A: only a plain peer downloads a client's file, and it checks the size alone", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const film = crypto.getRandomValues(new Uint8Array(60_000));
  await using classmate = new ClassmateServer(
    JSON.stringify({ status: "OK", file_size: film.length, data: "SIM" }),
    film,
  );
  await using short = new ClassmateServer(JSON.stringify({ status: "OK", file_size: 99_999, data: "SIM" }), film);
  await using refusing = new ClassmateServer(JSON.stringify({ status: "OK", file_size: 5, data: "NAO" }));
  await using without = new ClassmateServer('{"status":"FILE_NOT_FOUND"}');
  await using rude = new ClassmateServer(new Uint8Array(9_000));
  await askJson(index.port, "JOIN", { files: ["aula 7.mp4", "../evil.mp4"], port: classmate.port });
  await askJson(index.port, "JOIN", { files: ["short.mp4"], port: short.port });
  const rui: PeerArgs = { folder: temp.at("rui"), index, name: "rui", args: PLAIN };

  const found = await runCommand(rui, "search", "aula");
  assertMatch(found.stdout, new RegExp(`1  aula 7\\.mp4  unknown +1  ${classmate.address}`));
  const got = await runCommand(rui, "get", "1");
  assertEquals(got.code, 0, got.stderr);
  assertStringIncludes(got.stderr, "Not verified");
  assertEquals(JSON.parse(classmate.asked[0] ?? ""), {
    method: "DOWNLOAD_REQUEST",
    data: { filename: "aula 7.mp4", port: String(classmate.port) },
  });
  assert(sameBytes(await Deno.readFile(temp.at("rui/aula 7.mp4")), film));

  const again = await runCommand(
    { ...rui, args: [...PLAIN, "--json"] },
    "get",
    "aula 7.mp4",
    "--from",
    classmate.address,
  );
  assertEquals([again.code, JSON.parse(again.stdout).path, JSON.parse(again.stdout).verified], [
    0,
    temp.at("rui/(1) aula 7.mp4"),
    false,
  ]);
  // An address at which nobody joined also works.
  const cases: [what: string, from: string, code: number, says: string][] = [
    ["short.mp4", short.address, 1, "closed in the middle"],
    ["a.mp4", refusing.address, 4, "refused"],
    ["a.mp4", without.address, 3, "it is not shared there"],
    ["a.mp4", rude.address, 4, "answered"],
    ["../evil.mp4", classmate.address, 2, "a part of it is not a name"],
  ];
  for (const [what, from, code, says] of cases) {
    const failed = await runCommand(rui, "get", what, "--from", from);
    assertEquals(failed.code, code, failed.stderr);
    assertStringIncludes(failed.stderr, says);
  }
  const left = Array.from(Deno.readDirSync(temp.at("rui")), ({ name }) => name).sort();
  assertEquals(left, ["(1) aula 7.mp4", ".recess", "aula 7.mp4"]);
  assertEquals(Array.from(Deno.readDirSync(temp.at("rui/.recess/incoming"))).length, 0);
  const careful = await runCommand({ folder: temp.at("eva"), index, name: "eva" }, "get", "aula 7.mp4");
  assertEquals(careful.code, 4);
  assertStringIncludes(careful.stderr, "start with --plain");
  const listed = await runCommand(rui, "ls", classmate.address);
  assertStringIncludes(listed.stderr, "a classmate's own program");
});

Deno.test("classroom A: an index answers or disconnects a client that misbehaves, and keeps running", async () => {
  await using index = await startIndex();
  const { port } = index;
  await using native = await IndexClient.connect({ host: "127.0.0.1", port });
  // Nobody can sit on the name that a classmate's program will have.
  const squatting = await assertRejects(() => native.join("127.0.0.1:9"), Failure);
  assertEquals(squatting.code, "bad-name");
  await native.join("ana");
  const answered: string[] = [
    '{"method": "JOIN", "data": {"files": "a.mp4"}}',
    '{"method": "JOIN", "data": {"files": [1, null, {}]}}',
    '{"method": "JOIN", "data": {"port": "evil"}}',
    '{"method": "SEARCH", "data": {"query": {"__proto__": {"x": 1}}}}',
    '{"__proto__": {"method": "JOIN"}, "data": {"files": []}}',
    '{"method": "__proto__", "data": {}}',
    '{"method": "JOIN", "data": {"files": ["a"}}',
    `{"method": "JOIN", "data": {"files": ${JSON.stringify(Array(DIALECT_FILES_MAX + 1).fill("x"))}}}`,
    `{"method": "JOIN", "data": {"files": ["${"a".repeat(2000)}"]}}`,
    `{"method": "JOIN", "data": {"files": ["${"a".repeat(DIALECT_REQUEST_BYTES_MAX)}`,
    `{"data": ${"[".repeat(30_000)}}`,
  ];
  for (const text of answered) assertMatch(await sayOnce(port, text) ?? "", /^ERROR: /, text.slice(0, 60));
  // Half an object, and gone.
  for (const half of ['{"method": "JO', '{"method": "JOIN", "data": {\n', "{", "\0\xff\n", ""]) {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await writeAll(conn, half);
  }
  // Slowly, a byte at a time.
  using slow = await Deno.connect({ hostname: "127.0.0.1", port });
  slow.setNoDelay(true);
  for (const byte of new TextEncoder().encode('{"method": "JOIN", "data": {"files": ["slow.mp4"], "port": 9}}')) {
    await slow.write(new Uint8Array([byte]));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assertEquals(await readOnce(slow), "JOIN_OK");
  assertEquals(await askJson(port, "SEARCH", { query: "slow.mp4" }), '["127.0.0.1:9"]');
  // A flood of requests in one write is answered in order, none lost.
  using busy = await Deno.connect({ hostname: "127.0.0.1", port });
  await writeAll(busy, '{"method":"SEARCH","data":{"query":"none"}}'.repeat(50));
  let answers = "";
  while (answers.length < 100) answers += await readOnce(busy);
  assertEquals(answers, "[]".repeat(50));
  assertEquals((await native.search("slow")).length, 1);
  assert(!index.program.ended && !/bug: |Uncaught/.test(index.program.stderr), index.program.stderr);
});

Deno.test("classroom A: an index with a room key answers no dialect", async () => {
  await using temp = await TempFolder.make();
  await Deno.writeTextFile(temp.at("key"), (await runIndex("--new-room-key")).stdout);
  await using index = await startIndex("--room-key-file", temp.at("key"));
  for (const request of ['{"method":"SEARCH","data":{"query":"a"}}', "PEERS\n"]) {
    const answer = await sayOnce(index.port, request).catch(() => undefined);
    assert(answer === undefined || !/\[|ERROR|Nobody/.test(answer), answer);
  }
});

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
