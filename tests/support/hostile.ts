/**
 * A hostile caller: connects, says HELLO or something like it, sends damaged frames, reads, leaves
 * in the middle. Everything it does follows from a seed.
 * @module
 */

import { type Random, randomBelow } from "../../lib/core/random.ts";
import { PROTOCOL_VERSION } from "../../lib/core/version.ts";
import { writeAll } from "../../lib/core/bytes.ts";
import { certificatePem, Identity, type PublicIdentity } from "../../lib/net/identity.ts";
import { prove } from "../../lib/net/proof.ts";
import type { RoomKey } from "../../lib/net/room_key.ts";
import { encodeRequest } from "../../lib/protocol/envelope.ts";
import { Hello, NONCE_BYTES, Prove } from "../../lib/protocol/hello.ts";
import { joined, mutate } from "./mutate.ts";
import { sampleLine, sampleRequest } from "./samples.ts";
import { seededRandom } from "./seeded_random.ts";

/** The program to attack. */
export interface Target {
  readonly port: number;
  /** The identity of the program, if it speaks TLS. */
  readonly identity?: PublicIdentity;
  readonly roomKey?: RoomKey;
}

const SENDERS = 24;
const FRAMES_PER_CONNECTION = 12;
/** How long one waits for answers, at most. */
const READ_MS = 2_000;
const NONCE = "5e".repeat(NONCE_BYTES);
const HELLO = encodeRequest(Hello, { version: PROTOCOL_VERSION, software: "fuzz", nonce: NONCE }, 1);
const CALLER = await Identity.make();

/** Sends this many frames, most on connections that have proven an identity. */
export async function attack(target: Target, frames: number): Promise<void> {
  await inParallel(Math.ceil(frames / FRAMES_PER_CONNECTION), async (random) => {
    using conn = await connect(target);
    const parts: Uint8Array[] = [];
    const manner = random();
    // Most connections have sent HELLO and proven an identity, so their next bytes are read.
    if (manner < 0.7) parts.push(await introduction(conn, target));
    else if (manner < 0.8) parts.push(HELLO);
    // A damaged proof in a room is a guess at its key, and guesses are made to wait.
    else if (manner < 0.85 && target.roomKey === undefined) {
      parts.push(mutate(await introduction(conn, target), sampleLine(random), random));
    } else if (manner < 0.9) parts.push(mutate(HELLO, sampleLine(random), random));
    for (let frame = 0; frame < FRAMES_PER_CONNECTION; frame++) {
      const line = sampleRequest(random);
      parts.push(random() < 0.2 ? line : mutate(line, sampleLine(random), random), new Uint8Array([0x0a]));
    }
    await writeAll(conn, joined(...parts));
    // Some wait for the answers, some end their side first, some leave in the middle.
    const end = randomBelow(random, 4);
    if (end === 0) return;
    if (end === 1) await conn.closeWrite();
    await readToEnd(conn, random);
  });
}

/** Begins this many TLS handshakes with a damaged first message. */
export async function attackHandshake({ port }: Target, count: number): Promise<void> {
  const first = await firstTlsMessage();
  await inParallel(count, async (random) => {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await writeAll(conn, mutate(first, random() < 0.5 ? first : sampleLine(random), random));
    if (randomBelow(random, 4) === 0) return;
    // A program that expects more bytes waits for them. This test does not.
    await conn.closeWrite();
    await readToEnd(conn, random);
  });
}

async function inParallel(count: number, once: (random: Random) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: SENDERS }, async () => {
    while (next < count) {
      await once(seededRandom(next++)).catch((thrown) => {
        if (!wasEnded(thrown)) throw thrown;
      });
    }
  }));
}

/** Whether the other side ended it, as it may. */
function wasEnded(thrown: unknown): boolean {
  const { ConnectionReset, BrokenPipe, Interrupted, BadResource, UnexpectedEof } = Deno.errors;
  return [ConnectionReset, BrokenPipe, Interrupted, BadResource, UnexpectedEof].some((each) => thrown instanceof each);
}

async function connect({ port, identity }: Target): Promise<Deno.Conn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  if (identity === undefined) return conn;
  return await Deno.startTls(conn, { hostname: identity.host, caCerts: [certificatePem(identity)] });
}

/**
 * Sends HELLO.
 *
 * @returns The line that proves the identity of the caller.
 */
async function introduction(conn: Deno.Conn, { identity, roomKey }: Target): Promise<Uint8Array> {
  await writeAll(conn, HELLO);
  let line = "";
  const buffer = new Uint8Array(1024);
  while (!line.includes("\n")) {
    const read = await conn.read(buffer);
    if (read === null) throw new Deno.errors.ConnectionReset("it closed");
    line += new TextDecoder().decode(buffer.subarray(0, read));
  }
  const { nonce: asked, name } = JSON.parse(line).data;
  const called = name === undefined ? "index" : "peer";
  const channel = { asked, asking: NONCE, called, calledId: identity?.id ?? "" } as const;
  return encodeRequest(Prove, await prove(channel, CALLER, roomKey), 2);
}

async function readToEnd(conn: Deno.Conn, random: Random): Promise<void> {
  const buffer = new Uint8Array(8192);
  const deadline = setTimeout(() => conn.close(), READ_MS + randomBelow(random, 100));
  try {
    while (await conn.read(buffer) !== null);
  } finally {
    clearTimeout(deadline);
  }
}

/** What the platform begins a TLS handshake with. */
async function firstTlsMessage(): Promise<Uint8Array> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const calling = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using called = await listener.accept();
  using tls = await Deno.startTls(calling, { hostname: CALLER.host, caCerts: [certificatePem(CALLER)] });
  const shaking = tls.handshake().catch(() => {});
  const buffer = new Uint8Array(4096);
  const read = await called.read(buffer) ?? 0;
  called.close();
  await shaking;
  return buffer.slice(0, read);
}
