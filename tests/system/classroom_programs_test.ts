/**
 * The programs of classrooms A and B as their classes describe them (tests/classrooms, in Python),
 * in every pairing with ours. Our peers join only an index of ours; to a classroom's own server
 * somebody else has to report them, as happens here.
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { PYTHON_CLASSROOMS, type PythonClassroom } from "../support/classroom_programs.ts";
import { sayOnce } from "../support/classmate.ts";
import { withComponent } from "../support/components.ts";
import { type PeerArgs, runCommand, type RunningPeer, startIndex, startPeer } from "../support/programs.ts";
import { sameFiles, TempFolder, writeSparseFile } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

/** A video of the exercise: more than 1 GB. */
const FILM_BYTES = 1_100_000_000;

const test = withComponent("python3", ["--version"]);

function portOf({ program }: RunningPeer): number {
  return Number(/listening on \S+:(\d+)/.exec(program.stdout)?.[1]);
}

/** Accepts or refuses the question of this number, once it is asked. */
async function answerQuestion({ program }: RunningPeer, number: number, answer: "accept" | "refuse"): Promise<void> {
  await eventually(`question ${number}`, () => program.stderr.includes(`Request ${number}: 127.0.0.1 wants`), 60_000);
  await program.type(`${answer} ${number}`);
}

for (const classroom of PYTHON_CLASSROOMS) {
  const { letter } = classroom;

  test(`classroom ${letter}: its client and its peer meet at our index, and SIM, NAO and update work`, async () => {
    await using temp = await TempFolder.make();
    await using index = await startIndex();
    await using peer = await classroom.peer(temp, index.port);
    const aula = await temp.file(`${peer.folder}/aula 1.mp4`, 100_000);
    await peer.join();
    await usesPeer(classroom, temp, index.port, peer, aula);
    assertEquals(await sayOnce(index.port, classroom.searches("aula 1.mp4")), classroom.found(peer.port, 5001));
    assert(!/bug: |refused/.test(index.program.stderr), index.program.stderr);
  });

  test(`classroom ${letter}: its programs do the same at its own server, as the tests expect`, async () => {
    await using temp = await TempFolder.make();
    await using server = await classroom.server(temp);
    await using peer = await classroom.peer(temp, server.port);
    const aula = await temp.file(`${peer.folder}/aula 1.mp4`, 100_000);
    await peer.join();
    await usesPeer(classroom, temp, server.port, peer, aula);
  });

  test(`classroom ${letter}: its client downloads 1.1 GB from our --plain peer, which asks its owner`, async () => {
    await using temp = await TempFolder.make();
    await using index = await startIndex();
    const film = temp.at("ana/filme 1.mp4");
    await temp.folder("ana");
    await writeSparseFile(film, FILM_BYTES);
    await temp.folder("5001");
    const args = ["--plain", "--consent", "ask"];
    await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana", stdin: "piped", args });
    const client = (...words: string[]) => classroom.client(temp, index.port, 5001, ...words);
    await eventually("it is listed", () => /ana lists 1 file/.test(index.program.stderr));
    assertEquals(await client("search", "filme 1.mp4"), [`[${classroom.found(portOf(ana))}]`]);
    assertEquals(await client("search", "filme 2.mp4"), [`[${classroom.foundNothing}]`]);

    const [refused] = await Promise.all([client("download", "filme 1.mp4"), answerQuestion(ana, 1, "refuse")]);
    assertEquals(refused.at(-1), classroom.refused);
    const [accepted] = await Promise.all([client("download", "filme 1.mp4"), answerQuestion(ana, 2, "accept")]);
    assertEquals(accepted.slice(-2), [classroom.received(FILM_BYTES), "[UPDATE_OK]"]);
    assert(await sameFiles(film, temp.at("5001/filme 1.mp4")));
    assertEquals(await sayOnce(index.port, "LEAVE 127.0.0.1:5001"), "LEAVE_OK");
    // The same host wants the same file: it may be somebody else.
    const [again] = await Promise.all([client("download", "filme 1.mp4"), answerQuestion(ana, 3, "refuse")]);
    assertEquals(again.at(-1), classroom.refused);
    await ana.program.type("quit");
    assertEquals(await ana.program.exit(), 0, ana.program.stderr);
  });

  test(`classroom ${letter}: our get downloads 1.1 GB from its peer, and reports its owner's NAO`, async () => {
    await using temp = await TempFolder.make();
    await using index = await startIndex();
    await using peer = await classroom.peer(temp, index.port);
    const film = temp.at(peer.folder, "filme 1.mp4");
    await writeSparseFile(film, FILM_BYTES);
    await peer.join();
    const rui: PeerArgs = { folder: temp.at("rui"), index, name: "rui", args: ["--plain"] };
    assertEquals((await runCommand(rui, "search", "filme 2")).code, 3);
    assertMatch((await runCommand(rui, "search", "filme 1")).stdout, /filme 1\.mp4 +unknown/);
    const [refused] = await Promise.all([runCommand(rui, "get", "filme 1.mp4"), peer.answer("NAO")]);
    const { code, stderr } = refused;
    assertEquals(code, 4, stderr);
    assertStringIncludes(stderr, classroom.refusal);
    const [accepted] = await Promise.all([runCommand(rui, "get", "filme 1.mp4"), peer.answer("SIM")]);
    assertEquals(accepted.code, 0, accepted.stderr);
    assertStringIncludes(accepted.stderr, "Not verified");
    assert(await sameFiles(film, temp.at("rui/filme 1.mp4")));
    assertStringIncludes(peer.program.stdout, `< ${classroom.asks("filme 1.mp4", peer.port)}\n`);
    assert(!peer.program.ended, peer.program.stderr);
  });

  test(`classroom ${letter}: get --from ADDRESS downloads from its peer without an index`, async () => {
    await using temp = await TempFolder.make();
    await using index = await startIndex();
    await using server = await classroom.server(temp);
    await using peer = await classroom.peer(temp, server.port);
    const aula = await temp.file(`${peer.folder}/aula 1.mp4`, 100_000);
    await peer.join();
    const rui: PeerArgs = { folder: temp.at("rui"), index, name: "rui", args: ["--plain"] };
    const from = ["--from", `127.0.0.1:${peer.port}`];
    const [accepted] = await Promise.all([runCommand(rui, "get", "aula 1.mp4", ...from), peer.answer("SIM")]);
    assertEquals(accepted.code, 0, accepted.stderr);
    assert(await sameFiles(aula, temp.at("rui/aula 1.mp4")));
    const [refused] = await Promise.all([runCommand(rui, "get", "aula 1.mp4", ...from), peer.answer("NAO")]);
    assertEquals(refused.code, 4);
    const absent = await runCommand(rui, "get", "aula 2.mp4", ...from);
    assertEquals(absent.code, 3, absent.stderr);
    assert(!peer.program.ended, peer.program.stderr);
  });

  test(`classroom ${letter}: its client finds our --plain peer at its own server, and downloads`, async () => {
    await using temp = await TempFolder.make();
    await using index = await startIndex();
    await using server = await classroom.server(temp);
    const aula = await temp.file("ana/aula 1.mp4", 100_000);
    await temp.folder("5001");
    await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana", args: ["--plain"] });
    assertEquals(await sayOnce(server.port, classroom.joins("aula 1.mp4", portOf(ana))), "JOIN_OK");
    const said = await classroom.client(temp, server.port, 5001, "download", "aula 1.mp4");
    assertEquals(said.slice(-2), [classroom.received(100_000), "[UPDATE_OK]"]);
    assert(await sameFiles(aula, temp.at("5001/aula 1.mp4")));
    const absent = classroom.joins("aula 2.mp4", portOf(ana));
    assertEquals(await sayOnce(server.port, absent), "JOIN_OK");
    assertEquals((await classroom.client(temp, server.port, 5001, "download", "aula 2.mp4")).at(-1), classroom.absent);
  });
}

/** What a client of the classroom does with a peer of it, whatever server both are at. */
async function usesPeer(
  classroom: PythonClassroom,
  temp: TempFolder,
  port: number,
  peer: Awaited<ReturnType<PythonClassroom["peer"]>>,
  aula: string,
): Promise<void> {
  const client = (...words: string[]) => classroom.client(temp, port, 5001, ...words);
  await temp.file("5001/mine.mp4", 10);
  assertEquals(await client("join"), ["[JOIN_OK]"]);
  assertEquals(await client("search", "aula 1.mp4"), [`[${classroom.found(peer.port)}]`]);
  assertEquals(await client("search", "mine.mp4"), [`[${classroom.found(5001)}]`]);
  assertEquals(await client("search", "aula 2.mp4"), [`[${classroom.foundNothing}]`]);
  assertEquals(await client("download", "aula 2.mp4"), [`[${classroom.foundNothing}]`, "ninguém tem esse arquivo"]);
  const [refused] = await Promise.all([client("download", "aula 1.mp4"), peer.answer("NAO")]);
  assertEquals(refused.at(-1), classroom.refused);
  const [accepted] = await Promise.all([client("download", "aula 1.mp4"), peer.answer("SIM")]);
  assertEquals(accepted.slice(-2), [classroom.received(100_000), "[UPDATE_OK]"]);
  assert(await sameFiles(aula, temp.at("5001/aula 1.mp4")));
  assertEquals(await client("search", "aula 1.mp4"), [`[${classroom.found(peer.port, 5001)}]`]);
}
