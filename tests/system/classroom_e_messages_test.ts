/**
 * Messages between real processes, as in the fifth classroom system: acknowledged, sent again, each
 * once and in order.
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type PeerArgs, type Program, runCommand, startIndex, startPeer } from "../support/programs.ts";
import { TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

const COUNT = 1_000;

/** The objects that a program has printed; a killed one may have left the half of one. */
function objects(text: string): Record<string, unknown>[] {
  return text.slice(0, text.lastIndexOf("\n") + 1).split("\n").filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
}

/** The messages that a peer received, by its events. */
function toldTo(program: Program): string[] {
  return objects(program.stderr).filter(({ event }) => event === "told").map(({ text }) => String(text));
}

Deno.test("classroom E: 1,000 messages arrive once and in order at a receiver that is killed often", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const receiver: PeerArgs = { folder: temp.at("rui"), index, name: "rui", args: ["--json"] };
  await using ana = await startPeer({ ...receiver, folder: temp.at("ana"), name: "ana", stdin: "piped" });
  const texts = Array.from({ length: COUNT }, (_, number) => `message ${number}: it's "quoted", --not a flag`);
  let typing: Promise<void> | undefined;
  const seen: string[] = [];
  for (const [until, signal] of [[200, "SIGKILL"], [500, "SIGTERM"], [COUNT, "SIGTERM"]] as const) {
    await using rui = await startPeer(receiver);
    typing ??= ana.program.type(...texts.map((text) => `tell rui ${text}`));
    await eventually(`${until} messages have come`, () => {
      const told = toldTo(rui.program);
      return seen.length + told.length >= until || told.at(-1) === texts.at(-1);
    }, 30_000);
    rui.program.kill(signal);
    await rui.program.exit();
    seen.push(...toldTo(rui.program));
  }
  await typing;

  assertEquals(seen, texts.filter((text) => seen.includes(text)), "each is shown at most once, in order");
  assert(
    seen.length >= COUNT - 1,
    `only the line of one message can be lost with a process, not ${COUNT - seen.length}`,
  );
  const history = await runCommand(receiver, "messages", "ana", "--limit", "5000");
  assertEquals(objects(history.stdout).map(({ text }) => text), texts);

  await ana.program.type("messages rui --limit 5000");
  const sent = await eventually("the sender's history", () => {
    const messages = objects(ana.program.stdout).filter(({ event }) => event === "message");
    return messages.length === COUNT && messages;
  });
  assertEquals(sent.map(({ text }) => text), texts);
  assertEquals(new Set(sent.map(({ state }) => state)), new Set(["delivered"]));
});

Deno.test("classroom E: a message is shown in one line, stored for an absent peer, and listed later", async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  const ana: PeerArgs = { folder: temp.at("ana"), index, name: "ana" };
  const receiver: PeerArgs = { folder: temp.at("rui"), index, name: "rui", args: ["--consent", "deny"] };
  {
    await using rui = await startPeer(receiver);
    const done = await runCommand(ana, "tell", "rui", "hello", "\u001b[2Jthere");
    assertEquals([done.code, done.stdout], [0, "Delivered to rui\n"], done.stderr);
    await eventually("it is shown", () => rui.program.stderr.includes("hello"));
    assertMatch(rui.program.stderr, /^ana \(([0-9a-f]{4}-){3}[0-9a-f]{4}\): hello \\u\{1b\}\[2Jthere$/m);
    const inUse = await runCommand({ ...ana, folder: receiver.folder }, "tell", "rui", "x");
    assertEquals(inUse.code, 1);
    assertStringIncludes(inUse.stderr, "another peer is running on it");
    rui.program.kill("SIGTERM");
    await rui.program.exit();
  }
  const kept = await runCommand(ana, "tell", "rui", "second");
  assertEquals([kept.code, kept.stdout], [0, "Kept for rui, to be delivered when both of you are here: rui is away\n"]);
  assertEquals((await runCommand(ana, "tell", "nobody", "x")).code, 3);
  assertEquals((await runCommand(ana, "tell", "rui")).code, 2);

  await using rui = await startPeer({ ...receiver, stdin: "piped" });
  assertEquals((await runCommand(ana, "tell", "rui", "third")).code, 0);
  await eventually("both are shown", () => rui.program.stderr.includes("ana: third"));
  assertMatch(rui.program.stderr, /^ana: second\nana: third$/m);
  await rui.program.type("messages ana");
  await rui.program.line(/^\d{4}-\d\d-\d\d \d\d:\d\d +ana +rui +third +received$/);
  const history = await runCommand(ana, "messages");
  assertMatch(history.stdout, /hello \\u\{1b\}\[2Jthere +delivered\n.+second +delivered\n.+third +delivered\n$/);
});
