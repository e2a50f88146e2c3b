/**
 * Pictures between real peers, with exactly the permissions they have.
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { imageFile } from "../support/images.ts";
import { type PeerArgs, runCommand, startIndex, startPeer } from "../support/programs.ts";
import { sameFiles, TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

const PHOTO_BYTES = 5_000_000;

Deno.test("classroom E: show sends an identical photo over UDP, and both sides report it", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const photo = await imageFile(temp, "photos/Foto da sala.jpg", "jpeg", PHOTO_BYTES);
  await using rui = await startPeer({ folder: temp.at("rui"), index, name: "rui", args: ["--inbox"] });
  const ana: PeerArgs = { folder: temp.at("ana"), index, name: "ana" };
  await Deno.mkdir(ana.folder);
  const shown = await runCommand(ana, "show", "Rui", photo);
  assertEquals([shown.code, shown.stderr], [0, ""]);
  assert(/^Showed Rui Foto da sala\.jpg: 5\.00 MB in .+\n$/.test(shown.stdout), shown.stdout);
  assert(await sameFiles(photo, temp.at("rui/inbox/ana/Foto da sala.jpg")));
  const [told = "", ...more] = rui.program.stderr.split("\n").filter((line) => line.includes("Foto"));
  assertMatch(told, /^ana \([0-9a-f-]{19}\) shows you Foto da sala\.jpg \(5\.00 MB\): inbox\/ana\/Foto da sala\.jpg$/);
  assertEquals(more, []);

  const again = await runCommand({ ...ana, args: ["--json"] }, "show", "rui", photo);
  const { tookMs: _, bytesPerSecond, datagrams, resent, ...report } = JSON.parse(again.stdout);
  assertEquals(report, { event: "shown", peer: "rui", name: "Foto da sala.jpg", size: PHOTO_BYTES });
  assert(bytesPerSecond > 0 && datagrams - resent === Math.ceil(PHOTO_BYTES / 1167), again.stdout);
  const kept = Array.from(Deno.readDirSync(temp.at("rui/inbox/ana")), ({ name }) => name);
  assertEquals(kept, ["Foto da sala.jpg"], "what is shown again is kept once");
});

Deno.test("classroom E: show reports a failure in one sentence, with its exit code", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await using _rui = await startPeer({ folder: temp.at("rui"), index, name: "rui" });
  await using _eva = await startPeer({ folder: temp.at("eva"), index, name: "eva", args: ["--consent", "deny"] });
  await imageFile(temp, "ana/a.png", "png", 20_000);
  await Deno.writeTextFile(temp.at("ana/notes.txt"), "only text");
  const ana: PeerArgs = { folder: temp.at("ana"), index, name: "ana" };
  const cases: [args: string[], code: number, says: string][] = [
    [["rui", "notes.txt"], 2, "it is no PNG, JPEG, GIF or WebP image"],
    [["rui", "absent.png"], 3, "there is no such file"],
    [["nobody", "a.png"], 3, 'There is no peer "nobody" here'],
    [["eva", "a.png"], 4, "The owner refused the picture"],
    [["rui"], 2, "show needs PEER IMAGE"],
  ];
  for (const [args, code, says] of cases) {
    const { code: exit, stdout, stderr } = await runCommand(ana, "show", ...args);
    assertEquals([exit, stdout, stderr.trim().split("\n").length], [code, "", 1], stderr);
    assertStringIncludes(stderr, says);
  }
  assertEquals((await runCommand(ana, "show", "rui", "a.png")).code, 0, "a name in the own folder does");
});

Deno.test("classroom E: the shell asks before it accepts a picture, and runs commands meanwhile", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await imageFile(temp, "ana/a.gif", "gif", 300_000);
  const shell = { index, stdin: "piped", args: ["--json"] } as const;
  await using ana = await startPeer({ ...shell, folder: temp.at("ana"), name: "ana" });
  await using rui = await startPeer({
    ...shell,
    folder: temp.at("rui"),
    name: "rui",
    args: ["--json", "--consent", "ask", "--inbox"],
  });
  await ana.program.type("show rui a.gif", "peers");
  await ana.program.line(/"name":"rui"/);
  assert(!ana.program.stdout.includes('"shown"'));
  const question = await eventually("rui is asked", () => {
    return rui.program.stderr.split("\n").find((line) => line.startsWith('{"event":"asked"'));
  });
  const { kind, peer, name, number } = JSON.parse(question);
  assertEquals([kind, peer, name], ["picture", "ana", "a.gif"]);
  await rui.program.type(`accept ${number}`);
  await ana.program.line(/^\{"event":"shown","peer":"rui","name":"a\.gif"/);
  assert(await sameFiles(temp.at("ana/a.gif"), temp.at("rui/inbox/ana/a.gif")));
});
