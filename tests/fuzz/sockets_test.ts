/**
 * Hostile frames against a real index and a real peer over real sockets: both have to serve on, and give the memory back.
 * `SOCKET_FUZZ_FRAMES` sets how many frames each of the two gets.
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { randomBelow, seededRandom } from "../../lib/core/random.ts";
import { Identity } from "../../lib/net/identity.ts";
import { prove } from "../../lib/net/proof.ts";
import { PROTOCOL_VERSION } from "../../lib/core/version.ts";
import { encodeRequest } from "../../lib/protocol/envelope.ts";
import { Hello, NONCE_BYTES, Prove } from "../../lib/protocol/hello.ts";
import { runCommand, startInspectedIndex, startPeer } from "../support/programs.ts";
import { residentBytes } from "../support/memory.ts";
import { mutate } from "../support/mutate.ts";
import { sampleLine, sampleRequest } from "../support/samples.ts";
import { sameFiles, TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

const FRAMES = Number(Deno.env.get("SOCKET_FUZZ_FRAMES") ?? 200_000);
const SENDERS = 24;
const FRAMES_PER_CONNECTION = 12;
const MEMORY_GROWTH_MAX = 50_000_000;
const NONCE = "5e".repeat(NONCE_BYTES);
const HELLO = encodeRequest(Hello, { version: PROTOCOL_VERSION, software: "fuzz", nonce: NONCE }, 1);
const IDENTITY = await Identity.make();

/** Sends this many frames, some on connections that have said HELLO, and reads whatever comes back. */
async function attack(port: number, frames: number): Promise<void> {
  let connection = 0;
  const connections = Math.ceil(frames / FRAMES_PER_CONNECTION);
  await Promise.all(Array.from({ length: SENDERS }, async () => {
    while (connection < connections) await attackOnce(port, connection++);
  }));
}

/** Says HELLO. Shape: the line that proves who calls. */
async function introduced(conn: Deno.Conn): Promise<Uint8Array> {
  await conn.write(HELLO);
  let line = "";
  const buffer = new Uint8Array(1024);
  while (!line.includes("\n")) {
    const read = await conn.read(buffer);
    if (read === null) throw new Deno.errors.ConnectionReset("it closed");
    line += new TextDecoder().decode(buffer.subarray(0, read));
  }
  const asked: string = JSON.parse(line).data.nonce;
  return encodeRequest(Prove, await prove({ asked, asking: NONCE, calledId: "" }, IDENTITY, undefined), 2);
}

async function attackOnce(port: number, seed: number): Promise<void> {
  const random = seededRandom(seed);
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  try {
    const parts: Uint8Array[] = [];
    const stranger = random();
    // Most have said HELLO and proven who they are, so that what they send next is looked at.
    if (stranger < 0.7) parts.push(await introduced(conn));
    else if (stranger < 0.8) parts.push(HELLO);
    for (let frame = 0; frame < FRAMES_PER_CONNECTION; frame++) {
      const line = sampleRequest(random);
      parts.push(random() < 0.2 ? line : mutate(line, sampleLine(random), random), new Uint8Array([0x0a]));
    }
    const bytes = new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
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
  await using index = await startInspectedIndex();
  await temp.file("ana/a.bin", 3_000_000);
  await using ana = await startPeer({ folder: temp.at("ana"), index, name: "ana", inspected: true, args: ["--plain"] });
  const port = Number(/listening on \S+:(\d+)/.exec(ana.program.stdout)?.[1]);
  for (const [program, target] of [[index.program, index.port], [ana.program, port]] as const) {
    const before = await residentBytes(program.pid);
    await attack(target, FRAMES);
    assert(!program.ended, program.stderr);
    // V8 by itself lets go of it only after minutes, when at all; what is asked here is that nobody holds on to it.
    await eventually("the memory is back", async () => {
      await program.collectGarbage();
      return await residentBytes(program.pid) < before + MEMORY_GROWTH_MAX;
    });
    assert(!/ {2}bug: |Uncaught|panicked/.test(program.stderr), program.stderr.slice(-2000));
  }
  const got = await runCommand({ folder: temp.at("rui"), index, name: "rui", args: ["--plain"] }, "get", "a.bin");
  assertEquals(got.code, 0, got.stderr);
  assert(await sameFiles(temp.at("ana", "a.bin"), temp.at("rui", "a.bin")));
});
