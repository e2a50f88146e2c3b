/**
 * Classroom B's own clients, which speak words, and people with `nc` or telnet, against the real
 * programs.
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { DIALECT_FILES_MAX, DIALECT_REQUEST_BYTES_MAX } from "../../lib/core/limits.ts";
import { ClassmateServer, downloadWords, readOnce, sayOnce, writeAll } from "../support/classmate.ts";
import { IndexClient } from "../support/index_client.ts";
import { type PeerArgs, runCommand, type RunningPeer, startIndex, startPeer } from "../support/programs.ts";
import { sameFiles, TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

const PLAIN = ["--plain"];

function portOf({ program }: RunningPeer): number {
  return Number(/listening on \S+:(\d+)/.exec(program.stdout)?.[1]);
}

Deno.test("classroom B: JOIN, SEARCH and UPDATE work, with one or many requests on a connection", async () => {
  await using index = await startIndex();
  const { port } = index;
  assertEquals(await sayOnce(port, "JOIN 127.0.0.1:8776 aula1.mp4 aula2.mp4"), "JOIN_OK");
  assertEquals(await sayOnce(port, 'JOIN 127.0.0.1:8777 aula1.mp4 "aula 9.mp4"'), "JOIN_OK");
  assertEquals(await sayOnce(port, "SEARCH 127.0.0.1:8776 aula2.mp4"), "127.0.0.1:8776");
  assertEquals((await sayOnce(port, "SEARCH 127.0.0.1:8776 aula1.mp4"))?.split(" ").sort(), [
    "127.0.0.1:8776",
    "127.0.0.1:8777",
  ]);
  assertEquals(await sayOnce(port, 'SEARCH 127.0.0.1:8776 "aula 9.mp4"'), "127.0.0.1:8777");
  // A program would read any answer as addresses, so it gets none. A line with a line feed is typed
  // by a person, and gets words.
  assertEquals(await sayOnce(port, "SEARCH 127.0.0.1:8776 aula7.mp4"), undefined);
  assertEquals(await sayOnce(port, "SEARCH 127.0.0.1:8776 aula7.mp4\n"), "Arquivo não encontrado\n");
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  for (
    const [request, answer] of [
      ["UPDATE 127.0.0.1:8776 aula3.mp4\n", "UPDATE_OK\n"],
      ["SEARCH 127.0.0.1:8777 aula3.mp4\r\n", "127.0.0.1:8776\n"],
      ["LEAVE 127.0.0.1:8776\n", "LEAVE_OK\n"],
      ["SEARCH 127.0.0.1:8777 aula3.mp4\n", "Arquivo não encontrado\n"],
    ] as const
  ) {
    await writeAll(conn, request);
    assertEquals(await readOnce(conn), answer);
  }
  // Only the port of an address is believed: nobody is sent to a third party.
  assertEquals(await sayOnce(port, "JOIN 8.8.8.8:53 aula4.mp4"), "JOIN_OK");
  assertEquals(await sayOnce(port, "SEARCH 127.0.0.1:1 aula4.mp4"), "127.0.0.1:53");
});

Deno.test("classroom B: JOIN accepts Python lists, commas and 2,000 names in one request", async () => {
  await using index = await startIndex();
  const { port } = index;
  const many = Array.from({ length: 2_000 }, (_, number) => `aula-${number}.mp4`);
  const lists: [list: string, names: string[]][] = [
    ["['aula 1.mp4', \"l'aula 2.mp4\", 'c.mp4']", ["aula 1.mp4", "l'aula 2.mp4", "c.mp4"]],
    ["aula 3.mp4, d.mp4", ["aula 3.mp4", "d.mp4"]],
    ["e.mp4,f.mp4", ["e.mp4", "f.mp4"]],
    [many.join(" "), [many[0] ?? "", many.at(-1) ?? ""]],
    [JSON.stringify(many), [many[1_000] ?? ""]],
  ];
  for (const [list, names] of lists) {
    assertEquals(await sayOnce(port, `JOIN 127.0.0.1:8776 ${list}`), "JOIN_OK");
    for (const name of names) assertEquals(await sayOnce(port, `SEARCH 127.0.0.1:1 ${name}`), "127.0.0.1:8776", name);
  }
  assertEquals(await sayOnce(port, "UPDATE 127.0.0.1:8776 aula 9 nova.mp4"), "UPDATE_OK");
  assertEquals(await sayOnce(port, "SEARCH 127.0.0.1:1 aula 9 nova.mp4"), "127.0.0.1:8776");
});

Deno.test("classroom B: a client downloads our film to the last byte, and we download its film", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const film = await temp.file("ana/aula1.mp4", 20_000_000);
  await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana", args: PLAIN });
  await eventually("it is listed", () => /ana lists/.test(index.program.stderr));
  const at = await sayOnce(index.port, "SEARCH 127.0.0.1:8776 aula1.mp4");
  assertEquals(at, `127.0.0.1:${portOf(ana)}`);
  const got = await downloadWords(portOf(ana), "aula1.mp4");
  assertEquals(got.header, "Arquivo Encontrado!");
  await Deno.writeFile(temp.at("got"), got.bytes);
  assert(await sameFiles(film, temp.at("got")));
  assertEquals((await downloadWords(portOf(ana), "aula7.mp4")).header, "Arquivo não encontrado");
  await temp.file("ana/empty.txt", 0);
  const empty = await eventually("it is shared", async () => {
    const { header, bytes } = await downloadWords(portOf(ana), "empty.txt");
    return header === "Arquivo Encontrado!" && bytes;
  });
  assertEquals(empty.length, 0);

  const bytes = await Deno.readFile(film);
  await using classmate = new ClassmateServer("Arquivo Encontrado!", bytes.subarray(0, 300_000));
  await using without = new ClassmateServer("Arquivo não encontrado");
  await sayOnce(index.port, `JOIN ${classmate.address} "aula 2.mp4"`);
  await sayOnce(index.port, `JOIN ${without.address} aula5.mp4`);
  const rui: PeerArgs = { folder: temp.at("rui"), index, name: "rui", args: PLAIN };
  const fetched = await runCommand(rui, "get", "aula 2.mp4");
  assertEquals(fetched.code, 0, fetched.stderr);
  assertStringIncludes(fetched.stderr, "Not verified");
  assertEquals(classmate.asked, ["DOWNLOAD aula 2.mp4"]);
  assertEquals((await Deno.stat(temp.at("rui/aula 2.mp4"))).size, 300_000);
  const absent = await runCommand(rui, "get", "aula5.mp4");
  assertEquals([absent.code, absent.stdout], [3, ""], absent.stderr);
});

Deno.test("classroom B: uploads to clients respect the pace and the slots, and no client is refused", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await temp.file("ana/film.mp4", 4_000_000);
  const args = [...PLAIN, "--slots", "1", "--up", "8MB/s"];
  await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana", args });
  const startMs = performance.now();
  const all = await Promise.all([1, 2, 3].map(() => downloadWords(portOf(ana), "film.mp4")));
  assertEquals(all.map(({ bytes }) => bytes.length), [4_000_000, 4_000_000, 4_000_000]);
  assert(performance.now() - startMs > 1_000, "12 MB at 8 MB/s");
});

Deno.test("classroom B: a person with nc types HELP, PEERS and SEARCH, and reads the answers", async () => {
  await using index = await startIndex();
  const { port } = index;
  await using ana = await IndexClient.connect({ host: "127.0.0.1", port });
  await ana.join("Ana");
  await ana.list({ name: "vídeos/Aula 1.mp4", size: 8_000_000_000 }, { name: "evil\u001b[2J.txt", size: 1 });
  await sayOnce(port, "JOIN 127.0.0.1:8776 aula2.mp4");
  assertStringIncludes(await sayOnce(port, "HELP\n") ?? "", "PEERS");
  assertEquals(
    await sayOnce(port, "peers\r\n"),
    [
      "127.0.0.1:8776  127.0.0.1:8776  1 file\n",
      `Ana  127.0.0.1:${ana.port}  2 files, 8.00 GB\n`,
    ].join(""),
  );
  assertMatch(await sayOnce(port, "SEARCH aula\n") ?? "", /^vídeos\/Aula 1\.mp4 {2}8\.00 GB {2}Ana$/m);
  assertMatch(await sayOnce(port, "SEARCH aula\n") ?? "", /^aula2\.mp4 {2}size unknown {2}127\.0\.0\.1:8776$/m);
  assertEquals(await sayOnce(port, "SEARCH evil\n"), "evil\\u{1b}[2J.txt  1 B  Ana\n");
  assertEquals(await sayOnce(port, "SEARCH nothing like it\n"), 'Nothing here matches "nothing like it"\n');
  assertEquals(await sayOnce(port, "HEPL\n"), 'ERROR: There is no "HEPL" here (type HELP)\n');
});

Deno.test("classroom B: an index answers or disconnects a client that misbehaves, and keeps running", async () => {
  await using index = await startIndex();
  const { port } = index;
  const answered: string[] = [
    "JOIN",
    "JOIN aula1.mp4",
    "JOIN 127.0.0.1:99999 aula1.mp4",
    "JOIN 127.0.0.1:0 aula1.mp4",
    `JOIN 127.0.0.1:80 ${"a".repeat(2_000)}`,
    `JOIN 127.0.0.1:80 ${"a ".repeat(DIALECT_FILES_MAX + 1)}`,
    `JOIN 127.0.0.1:80 ${"a".repeat(DIALECT_REQUEST_BYTES_MAX)}`,
    "SEARCH 127.0.0.1:80",
    "DOWNLOAD aula1.mp4",
    "constructor",
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
  ];
  for (const text of answered) assertMatch(await sayOnce(port, text) ?? "", /^ERROR: /, text.slice(0, 60));
  assertMatch(await sayOnce(port, new Uint8Array([0x4a, 0xff, 0xfe, 0x0a])) ?? "", /^ERROR: /);
  for (const half of ["JOI", 'JOIN 127.0.0.1:8776 "aula', "\xff\xff\xff"]) {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await writeAll(conn, half);
  }
  // Nonsense without end is closed in the end.
  using rude = await Deno.connect({ hostname: "127.0.0.1", port });
  await writeAll(rude, "nonsense\n".repeat(100)).catch(() => {});
  let said = "";
  for (let more = await readOnce(rude); more !== undefined; more = await readOnce(rude)) said += more;
  assertEquals(said.split("\n").filter((line) => line.startsWith("ERROR")).length, 8);
  // A page in a browser cannot have it speak for anybody.
  const post = "POST / HTTP/1.1\r\nHost: x\r\n\r\nJOIN 127.0.0.1:80 browser.mp4\n";
  assertMatch(await sayOnce(port, post) ?? "", /HTTP/);
  assertEquals(await sayOnce(port, "SEARCH 127.0.0.1:1 browser.mp4"), undefined);
  // Slowly, and in pieces.
  using slow = await Deno.connect({ hostname: "127.0.0.1", port });
  slow.setNoDelay(true);
  for (const byte of new TextEncoder().encode("JOIN 127.0.0.1:9 slow.mp4\n")) {
    await slow.write(new Uint8Array([byte]));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  assertEquals(await readOnce(slow), "JOIN_OK\n");
  assertEquals(await sayOnce(port, "SEARCH 127.0.0.1:9 slow.mp4"), "127.0.0.1:9");
  assert(!index.program.ended && !/bug: |Uncaught/.test(index.program.stderr), index.program.stderr);
});
