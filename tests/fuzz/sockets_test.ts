/**
 * Hostile frames against a real index and a real peer over real sockets: both have to serve on, and give the memory back.
 * `SOCKET_FUZZ_FRAMES` sets how many frames each of the two gets.
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { randomBelow, seededRandom } from "../../lib/core/random.ts";
import { runCommand, startIndex, startPeer } from "../support/programs.ts";
import { residentBytes } from "../support/memory.ts";
import { mutate } from "../support/mutate.ts";
import { sampleLine, sampleRequest } from "../support/samples.ts";
import { sameFiles, TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

const FRAMES = Number(Deno.env.get("SOCKET_FUZZ_FRAMES") ?? 200_000);
const SENDERS = 24;
const FRAMES_PER_CONNECTION = 12;
const MEMORY_GROWTH_MAX = 50_000_000;
/** V8 gives memory back when it has been idle for a while: mostly after 20 s, at the latest when its watchdog looks, every 100 s. */
const MEMORY_WAIT_MS = 150_000;
const HELLO = new TextEncoder().encode('{"method":"HELLO","data":{"version":1,"software":"fuzz"},"id":1}\n');

/** Sends this many frames, some on connections that have said HELLO, and reads whatever comes back. */
async function attack(port: number, frames: number): Promise<void> {
  let connection = 0;
  const connections = Math.ceil(frames / FRAMES_PER_CONNECTION);
  await Promise.all(Array.from({ length: SENDERS }, async () => {
    while (connection < connections) await attackOnce(port, connection++);
  }));
}

async function attackOnce(port: number, seed: number): Promise<void> {
  const random = seededRandom(seed);
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const parts: Uint8Array[] = random() < 0.8 ? [HELLO] : [];
  for (let frame = 0; frame < FRAMES_PER_CONNECTION; frame++) {
    const line = sampleRequest(random);
    parts.push(random() < 0.2 ? line : mutate(line, sampleLine(random), random), new Uint8Array([0x0a]));
  }
  const bytes = new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  try {
    for (let sent = 0; sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
    // Some wait for the answers, some end their side first, some leave in the middle.
    const manner = randomBelow(random, 4);
    if (manner === 0) return;
    if (manner === 1) await conn.closeWrite();
    const buffer = new Uint8Array(8192);
    const deadline = setTimeout(() => conn.close(), 2_000 + randomBelow(random, 100));
    try {
      while (await conn.read(buffer) !== null);
    } finally {
      clearTimeout(deadline);
    }
  } catch (thrown) {
    const ended = [
      Deno.errors.ConnectionReset,
      Deno.errors.BrokenPipe,
      Deno.errors.Interrupted,
      Deno.errors.BadResource,
    ];
    if (!ended.some((each) => thrown instanceof each)) throw thrown;
  }
}

Deno.test(`an index and a peer serve on after ${FRAMES} hostile frames each, with their memory back`, async () => {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await temp.file("ana/a.bin", 3_000_000);
  await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana" });
  const port = Number(/listening on \S+:(\d+)/.exec(ana.program.stdout)?.[1]);
  for (const [program, target] of [[index.program, index.port], [ana.program, port]] as const) {
    const before = await residentBytes(program.pid);
    await attack(target, FRAMES);
    assert(!program.ended, program.stderr);
    await eventually(
      "the memory is back",
      async () => await residentBytes(program.pid) < before + MEMORY_GROWTH_MAX,
      MEMORY_WAIT_MS,
    );
    assert(!/ {2}bug: |Uncaught|panicked/.test(program.stderr), program.stderr.slice(-2000));
  }
  const got = await runCommand({ folder: temp.at("rui"), index, name: "rui" }, "get", "a.bin");
  assertEquals(got.code, 0, got.stderr);
  assert(await sameFiles(temp.at("ana", "a.bin"), temp.at("rui", "a.bin")));
});
