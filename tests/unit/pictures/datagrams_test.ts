import { assert, assertEquals } from "@std/assert";
import { DATAGRAM_WINDOW_MAX } from "../../../lib/core/limits.ts";
import { ACK_PARTS_MAX, PART_BYTES } from "../../../lib/protocol/datagram.ts";
import { DatagramReceiver } from "../../../lib/pictures/datagram_receiver.ts";
import { DatagramSender } from "../../../lib/pictures/datagram_sender.ts";
import { type Network, sendThrough } from "../../support/simulated_network.ts";

/** Networks, the longest time for 5 MB, and the most datagrams for each part. */
const NETWORKS: readonly (readonly [what: string, network: Omit<Network, "seed">, msMax: number, sentMax: number])[] = [
  ["clean", {}, 100, 1],
  ["clean, 20 ms away", { delayMs: 20 }, 500, 1],
  ["clean, 200 ms away", { delayMs: 200 }, 5_000, 1.01],
  [
    "a tenth lost, doubles, re-ordered, 20 ms away",
    { loss: 0.1, duplicates: 0.02, late: 0.1, delayMs: 20 },
    2_500,
    1.3,
  ],
  ["a tenth lost", { loss: 0.1 }, 1_000, 1.2],
  ["three in ten lost", { loss: 0.3 }, 10_000, 1.6],
  ["three in ten lost, 20 ms away", { loss: 0.3, delayMs: 20 }, 20_000, 1.6],
  ["half lost", { loss: 0.5, delayMs: 2 }, 120_000, 2.5],
  ["all re-ordered", { late: 0.5, delayMs: 20 }, 3_000, 1.3],
  ["narrow, with little room to wait", { delayMs: 20, narrow: { rate: 10, queue: 50 } }, 2_500, 1.5],
  ["narrow, with much room to wait", { delayMs: 20, narrow: { rate: 10, queue: 2000 } }, 1_500, 1.1],
  ["a slow wireless network", { loss: 0.02, late: 0.1, delayMs: 2, narrow: { rate: 2, queue: 100 } }, 4_000, 1.1],
  ["room for ninety, as on loopback", { delayMs: 0.1, narrow: { rate: 20, queue: 90 } }, 500, 1.2],
];

for (const [what, network, msMax, sentMax] of NETWORKS) {
  Deno.test(`a picture arrives whole through a network that is ${what}`, () => {
    for (const seed of [1, 2, 3]) {
      const { whole, identical, tookMs, parts, sent, windowMax } = sendThrough({ seed, ...network }, 5_000_000);
      assert(whole && identical, `seed ${seed}`);
      assert(tookMs <= msMax && sent <= parts * sentMax, `seed ${seed}: ${tookMs} ms, ${sent} for ${parts}`);
      assert(windowMax <= DATAGRAM_WINDOW_MAX);
    }
  });
}

Deno.test("a picture arrives that has one byte, one full part, or one byte more", () => {
  for (const size of [1, PART_BYTES, PART_BYTES + 1]) {
    for (const seed of [1, 2, 3, 4]) assert(sendThrough({ seed, loss: 0.4, delayMs: 5 }, size).identical);
  }
});

Deno.test("DatagramSender probes more and more rarely when the network is gone", () => {
  const { whole, sent, parts, tookMs } = sendThrough({ seed: 1, delayMs: 5, endMs: 60 }, 5_000_000);
  assert(!whole && tookMs > 590_000, String(tookMs));
  assert(sent < parts + 2_000, `${sent} for ${parts}`);
});

/** A full part of a picture. */
function part(number: number, index: number): { number: number; index: number; bytes: Uint8Array } {
  return { number, index, bytes: new Uint8Array(PART_BYTES).fill(index + 1) };
}

Deno.test("DatagramReceiver puts parts in order, and ignores repeated parts and wrong sizes", () => {
  const receiver = new DatagramReceiver(4 * PART_BYTES - 1);
  assertEquals([receiver.take(part(0, 2), 0), receiver.take(part(1, 0), 0)], [true, true]);
  assertEquals(receiver.take({ ...part(2, 2), bytes: new Uint8Array(PART_BYTES) }, 0), false, "it is here");
  assertEquals(receiver.take(part(3, 3), 0), false, "the last part is shorter");
  assertEquals(receiver.take(part(4, 4), 0), false, "there is no such part");
  assertEquals(receiver.take(part(4, 0xffff_ffff), 0), false, "there is no such part");
  assertEquals(receiver.acknowledge(), { latest: 2, inOrder: 1, beyond: Uint8Array.of(0b1) });
  assertEquals(receiver.bytes[2 * PART_BYTES], 3);
  receiver.take(part(5, 1), 0);
  receiver.take({ ...part(6, 3), bytes: new Uint8Array(PART_BYTES - 1).fill(4) }, 0);
  assert(receiver.whole);
  assertEquals(receiver.acknowledge(), { latest: 6, inOrder: 4, beyond: new Uint8Array(0) });
  assertEquals([0, 1, 2, 3].map((index) => receiver.bytes[index * PART_BYTES]), [1, 2, 3, 4]);
});

Deno.test("DatagramReceiver acknowledges after sixteen parts, after a moment, or when all have arrived", () => {
  const receiver = new DatagramReceiver(20 * PART_BYTES);
  assertEquals(receiver.ackAtMs, Infinity);
  receiver.take(part(0, 0), 100);
  assertEquals(receiver.ackAtMs, 102);
  for (let index = 1; index < 16; index++) receiver.take(part(index, index), 101);
  assertEquals(receiver.ackAtMs, 101);
  receiver.acknowledge();
  assertEquals(receiver.ackAtMs, Infinity);
  for (let index = 16; index < 20; index++) receiver.take(part(index, index), 200);
  assertEquals(receiver.ackAtMs, 200);
});

function sendAll(sender: DatagramSender, nowMs: number): { number: number; index: number }[] {
  const sent = [];
  for (let next = sender.next(nowMs); next !== undefined; next = sender.next(nowMs)) sent.push(next);
  return sent;
}

Deno.test("DatagramSender sends lost parts again under new numbers, before new parts", () => {
  const sender = new DatagramSender(100);
  const first = sendAll(sender, 0);
  assertEquals(first.map(({ index }) => index), Array.from({ length: 32 }, (_, index) => index));
  sender.acknowledged({ latest: 0, inOrder: 1, beyond: new Uint8Array(0) }, 10);
  const [later] = sendAll(sender, 10);
  assertEquals(later, { number: 32, index: 32 });
  // Number 32, sent 10 ms after the others, has arrived; 1 and 3 have not.
  sender.acknowledged({ latest: 32, inOrder: 1, beyond: Uint8Array.of(0b1111_1101, 0xff, 0xff, 0x7f) }, 20);
  assertEquals(sender.next(20)?.index, 1);
  assertEquals(sender.next(20), { number: 34, index: 3 });
  assertEquals(sender.next(20)?.index, 33);
});

Deno.test("DatagramSender ignores acknowledgements that are old or impossible", () => {
  const sender = new DatagramSender(40);
  sendAll(sender, 0);
  const nothing = new Uint8Array(0);
  sender.acknowledged({ latest: 32, inOrder: 40, beyond: nothing }, 1);
  sender.acknowledged({ latest: 3, inOrder: 41, beyond: nothing }, 1);
  assertEquals([sender.there, sender.done, sender.next(1)], [0, false, undefined]);
  sender.acknowledged({ latest: 31, inOrder: 32, beyond: Uint8Array.from({ length: 1024 }, () => 0) }, 2);
  assertEquals(sender.there, 32);
  sender.acknowledged({ latest: 3, inOrder: 4, beyond: nothing }, 3);
  assertEquals([sender.there, sendAll(sender, 3).length], [32, 8]);
  sender.acknowledged({ latest: 39, inOrder: 39, beyond: Uint8Array.of(0xff, 0xff) }, 4);
  assertEquals([sender.there, sender.done], [39, false]);
});

Deno.test("DatagramSender probes with two parts after a silence, ever more rarely", () => {
  const sender = new DatagramSender(100);
  assertEquals(sender.probeAtMs, Infinity);
  sendAll(sender, 0);
  assertEquals(sender.probeAtMs, 200);
  sender.probe(199);
  assertEquals(sender.next(199), undefined);
  sender.probe(200);
  assertEquals(sendAll(sender, 200).map(({ index }) => index), [0, 1]);
  assertEquals(sender.probeAtMs, 600);
  sender.probe(600);
  assertEquals(sendAll(sender, 600).length, 2);
  assertEquals(sender.probeAtMs, 1_400);
  sender.acknowledged({ latest: 35, inOrder: 2, beyond: new Uint8Array(0) }, 601);
  assertEquals(sendAll(sender, 601).length, 30, "two of 32 are still under way");
});

Deno.test("DatagramSender stays within what an acknowledgement can report beyond the first missing part", () => {
  const sender = new DatagramSender(2 * ACK_PARTS_MAX);
  let latest = -1;
  const beyond = new Uint8Array(ACK_PARTS_MAX / 8);
  let highest = 0;
  for (let nowMs = 0; nowMs < 60_000; nowMs += 1) {
    for (const { number, index } of sendAll(sender, nowMs)) {
      latest = number;
      highest = Math.max(highest, index);
      // Part 0 never arrives.
      if (index > 0 && index <= ACK_PARTS_MAX) {
        beyond[(index - 1) >> 3] = (beyond[(index - 1) >> 3] ?? 0) | 1 << (index - 1 & 7);
      }
    }
    sender.probe(nowMs);
    sender.acknowledged({ latest, inOrder: 0, beyond }, nowMs);
  }
  assertEquals(highest, ACK_PARTS_MAX - 1);
  assertEquals(sender.there, ACK_PARTS_MAX - 1);
});
