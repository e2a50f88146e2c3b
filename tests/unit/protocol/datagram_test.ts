import { assert, assertEquals, assertThrows } from "@std/assert";
import { DATAGRAM_BYTES_MAX, SHOW_BYTES_MAX } from "../../../lib/core/limits.ts";
import {
  ACK_PARTS_MAX,
  type Datagram,
  DatagramCodec,
  KEY_BYTES,
  PART_BYTES,
  partCount,
  TOKEN_BYTES,
} from "../../../lib/protocol/datagram.ts";
import { seededRandom } from "../../support/seeded_random.ts";
import { randomBytes } from "../../support/temp.ts";

const TOKEN = randomBytes(TOKEN_BYTES, seededRandom(1));
const KEY = randomBytes(KEY_BYTES, seededRandom(2));
const CODEC = new DatagramCodec(TOKEN, KEY);

const SAMPLES: readonly Datagram[] = [
  { kind: "data", number: 0, index: 0, bytes: Uint8Array.of(7) },
  {
    kind: "data",
    number: 0xffff_ffff,
    index: partCount(SHOW_BYTES_MAX) - 1,
    bytes: randomBytes(PART_BYTES, seededRandom(3)),
  },
  { kind: "ack", number: 0, latest: 0, inOrder: 0, beyond: new Uint8Array(0) },
  { kind: "ack", number: 9, latest: 4711, inOrder: 12, beyond: randomBytes(ACK_PARTS_MAX / 8, seededRandom(4)) },
];

/** A datagram with its bytes as text, so that it can be compared. */
function plain(datagram: Datagram | undefined): unknown {
  if (datagram?.kind === "data") return { ...datagram, bytes: new Uint8Array(datagram.bytes).toHex() };
  return datagram === undefined ? undefined : { ...datagram, beyond: new Uint8Array(datagram.beyond).toHex() };
}

Deno.test("a datagram is read back as it was, and is no longer than it may be", () => {
  for (const sample of SAMPLES) {
    const bytes = CODEC.encode(sample);
    assert(bytes.length <= DATAGRAM_BYTES_MAX);
    assertEquals(plain(CODEC.decode(new Uint8Array(bytes))), plain(sample));
  }
  assertEquals(CODEC.encode(SAMPLES[1] as Datagram).length, DATAGRAM_BYTES_MAX);
});

Deno.test("a datagram with a changed bit or another length is ignored", () => {
  for (const sample of SAMPLES) {
    const bytes = CODEC.encode(sample);
    for (let index = 0; index < bytes.length; index += bytes.length > 100 ? 7 : 1) {
      for (const bit of [0, 3, 7]) {
        const changed = bytes.slice();
        changed[index] = (changed[index] ?? 0) ^ 1 << bit;
        assertEquals(CODEC.decode(changed), undefined, `bit ${bit} of byte ${index}`);
      }
      assertEquals(CODEC.decode(bytes.subarray(0, index)), undefined);
    }
    assertEquals(CODEC.decode(new Uint8Array([...bytes, 0])), undefined);
  }
});

Deno.test("a datagram sealed with another key or token, or noise, is ignored", () => {
  const random = seededRandom(5);
  const others = [
    new DatagramCodec(TOKEN, randomBytes(KEY_BYTES, random)),
    new DatagramCodec(randomBytes(TOKEN_BYTES, random), KEY),
  ];
  for (const other of others) for (const sample of SAMPLES) assertEquals(CODEC.decode(other.encode(sample)), undefined);
  for (let size = 0; size < 2000; size += 3) {
    const noise = randomBytes(size, random);
    assertEquals(CODEC.decode(noise), undefined);
    noise.set(TOKEN.subarray(0, size));
    assertEquals(CODEC.decode(noise), undefined);
  }
});

Deno.test("a sealed datagram that makes no sense is ignored", () => {
  const beyond = new Uint8Array(ACK_PARTS_MAX / 8 + 1);
  assertEquals(CODEC.decode(CODEC.encode({ kind: "ack", number: 1, latest: 1, inOrder: 1, beyond })), undefined);
  assertEquals(CODEC.decode(CODEC.encode({ kind: "data", number: 1, index: 1, bytes: new Uint8Array(0) })), undefined);
  assertThrows(() => new DatagramCodec(TOKEN.subarray(1), KEY), RangeError);
});

Deno.test("the format is what README says, read with another cipher than ours", async () => {
  const keyBytes = new Uint8Array(KEY_BYTES).fill(0xbb);
  const bytes = new DatagramCodec(new Uint8Array(TOKEN_BYTES).fill(0xaa), keyBytes)
    .encode({ kind: "data", number: 258, index: 3, bytes: new TextEncoder().encode("parte") });
  assertEquals(bytes.subarray(0, 13).toHex(), `${"aa".repeat(8)}0100000102`);
  assertEquals(bytes.subarray(13).toHex(), "36d4f37650c4451528d328878d42eebc282fe0c07ac3769c85");
  const key = await crypto.subtle.importKey("raw", keyBytes, "AES-GCM", false, ["decrypt"]);
  const iv = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2);
  const cipher = { name: "AES-GCM", iv, additionalData: bytes.slice(0, 13) };
  const opened = new Uint8Array(await crypto.subtle.decrypt(cipher, key, bytes.slice(13)));
  assertEquals(opened.toHex(), `00000003${new TextEncoder().encode("parte").toHex()}`);
});
