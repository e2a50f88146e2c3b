/**
 * Hostile frames and handshakes against real indexes and real peers over real sockets: all have to
 * serve on, and hold on to no memory. `SOCKET_FUZZ_FRAMES` sets how many frames each gets without
 * encryption.
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Identity } from "../../lib/net/identity.ts";
import { RoomKey } from "../../lib/net/room_key.ts";
import { attack, attackHandshake, type Target } from "../support/hostile.ts";
import { residentBytes } from "../support/memory.ts";
import {
  type Program,
  runCommand,
  type RunningIndex,
  type RunningPeer,
  startInspectedIndex,
  startPeer,
} from "../support/programs.ts";
import { sameFiles, TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

const FRAMES = Number(Deno.env.get("SOCKET_FUZZ_FRAMES") ?? 200_000);
/** TLS is slower, and what is in it is read by the same code. */
const ENCRYPTED_FRAMES = FRAMES / 20;
const HANDSHAKES = FRAMES / 20;
const MEMORY_GROWTH_MAX = 50_000_000;

Deno.test(`an index and a peer serve on after ${FRAMES} hostile frames each, with their memory back`, async () => {
  await using temp = await TempFolder.make();
  // All come from one address. At the usual pace of its proofs, this would be a minute of waiting;
  // the room below keeps to it.
  await using index = await startInspectedIndex("--rates", "proofs=100000");
  await temp.file("ana/a.bin", 3_000_000);
  const args = ["--plain"];
  await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana", inspected: true, args });
  await survives(index.program, () => attack({ port: index.port }, FRAMES));
  await survives(ana.program, () => attack({ port: portOf(ana) }, FRAMES));
  await stillServes(temp, index, args);
});

Deno.test(`an index and a peer with a room key serve on after ${HANDSHAKES} hostile handshakes`, async () => {
  await using temp = await TempFolder.make();
  const key = RoomKey.makeText();
  await Deno.writeTextFile(temp.at("room.key"), key);
  const room = await RoomKey.parse(key).room();
  const args = ["--room-key-file", temp.at("room.key")];
  await using index = await startInspectedIndex(...args);
  await temp.file("ana/a.bin", 3_000_000);
  await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana", inspected: true, args });
  const identity = await Identity.fromPem(await Deno.readTextFile(temp.at("ana/.recess/identity.pem")));
  const targets: readonly [Program, Target][] = [
    [index.program, { port: index.port, identity: room.identity, roomKey: room.key }],
    [ana.program, { port: portOf(ana), identity, roomKey: room.key }],
  ];
  for (const [program, target] of targets) {
    const half = async (): Promise<void> => {
      await attackHandshake(target, HANDSHAKES / 2);
      await attack(target, ENCRYPTED_FRAMES / 2);
    };
    // The first connections at once take memory that the platform keeps for the next ones.
    await half();
    await program.collectGarbage();
    await survives(program, half);
  }
  await stillServes(temp, index, args);
});

/** Attacks a program, and sees that it lives and that nothing holds on to the memory this took. */
async function survives(program: Program, attacking: () => Promise<void>): Promise<void> {
  const before = await residentBytes(program.pid);
  await attacking();
  assert(!program.ended, program.stderr);
  // V8 by itself lets go of it only after minutes, when at all.
  await eventually("the memory is back", async () => {
    await program.collectGarbage();
    return await residentBytes(program.pid) < before + MEMORY_GROWTH_MAX;
  });
  assert(!/ {2}bug: |Uncaught|panicked/.test(program.stderr), program.stderr.slice(-2000));
}

async function stillServes(temp: TempFolder, index: RunningIndex, args: readonly string[]): Promise<void> {
  const got = await runCommand({ folder: temp.at("rui"), index, name: "rui", args }, "get", "a.bin");
  assertEquals(got.code, 0, got.stderr);
  assert(await sameFiles(temp.at("ana", "a.bin"), temp.at("rui", "a.bin")));
}

function portOf({ program }: RunningPeer): number {
  return Number(/listening on \S+:(\d+)/.exec(program.stdout)?.[1]);
}
