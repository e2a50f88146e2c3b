import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CONSENT_WAIT_MS, QUESTIONS_OPEN_MAX, QUESTIONS_PER_PEER_MAX } from "../../../../lib/core/limits.ts";
import { NO_ID } from "../../../../lib/core/dialect.ts";
import { Failure } from "../../../../lib/core/failure.ts";
import { ask } from "../../../../lib/net/caller.ts";
import { Identity } from "../../../../lib/net/identity.ts";
import { Consent, type ConsentEvent, type ConsentMode, type Wish } from "../../../../lib/peer/serve/consent.ts";
import { Download, Holds, Pieces } from "../../../../lib/protocol/files.ts";
import { Room } from "../../../support/room.ts";
import { failing, stranger } from "../../../support/senders.ts";

const WISH: Wish = {
  kind: "download",
  id: "ab".repeat(32),
  peer: "rui",
  key: "new",
  name: "film.mp4",
  root: "r1",
  size: 10,
};
const inform = (): Promise<void> => Promise.resolve();

function make(
  mode: ConsentMode,
): { consent: Consent; events: ConsentEvent[]; allowed: Set<string>; timeOut: () => void } {
  const events: ConsentEvent[] = [];
  const allowed = new Set<string>();
  const always = {
    has: (id: string, kind: string) => allowed.has(`${id} ${kind}`),
    add: (id: string, kind: string) => void allowed.add(`${id} ${kind}`),
  };
  const waits: (() => void)[] = [];
  const clock = {
    now: () => 0,
    delay: (ms: number) => {
      assertEquals(ms, CONSENT_WAIT_MS);
      return new Promise<void>((resolve) => waits.push(resolve));
    },
  };
  const consent = new Consent({ mode, clock, always, onEvent: (event) => events.push(event) });
  return { consent, events, allowed, timeOut: () => waits.forEach((resolve) => resolve()) };
}

Deno.test("Consent allows everything in mode open and refuses everything in mode deny", async () => {
  const open = make("open");
  await open.consent.allow(WISH, inform);
  const deny = make("deny");
  assertEquals((await assertRejects(() => deny.consent.allow(WISH, inform), Failure)).code, "refused");
  assertEquals([...open.events, ...deny.events], []);
});

Deno.test("Consent always allows a peer the kind of wish its owner chose, and no other kind", async () => {
  const { consent } = make("ask");
  const first = consent.allow(WISH, inform);
  consent.accept(1, { always: true });
  await first;
  await consent.allow({ ...WISH, root: "r2" }, inform);
  for (const [kind, number] of [["upload", 2], ["picture", 3]] as const) {
    const other = assertRejects(() => consent.allow({ ...WISH, root: "r3", kind }, inform), Failure);
    assertEquals(consent.questions().map((question) => [question.number, question.kind]), [[number, kind]]);
    consent.refuse(number);
    await other;
  }
});

Deno.test("a peer that refuses all downloads sends no digests", async () => {
  await using room = await Room.open();
  const ana = await room.peer("ana", undefined, { consent: "deny" });
  await ana.folder.file("pin.txt", 4);
  const root = await room.hashed("ana", "pin.txt");
  const identity = await Identity.make();
  for (const message of [Pieces, Holds, Download]) {
    using connection = await stranger(room, identity);
    const data = { root, from: 0, limit: 1, start: 0 };
    assertEquals(
      (await failing(() => ask(connection, message as typeof Pieces, data))).code,
      "refused",
      message.method,
    );
  }
});

Deno.test("Consent applies an earlier answer to a file that was hashed since, but not to another version", async () => {
  const { consent } = make("ask");
  const { root: _, ...unhashed } = { ...WISH, modified: 7 };
  const all = [consent.allow(unhashed, inform), consent.allow({ ...WISH, modified: 7 }, inform)];
  assertEquals(consent.questions().map(({ number }) => number), [1]);
  consent.accept(1);
  await Promise.all(all);
  await consent.allow({ ...WISH, modified: 7 }, inform);
  for (const [number, other] of [{ modified: 8 }, { modified: 7, size: 11 }].entries()) {
    const asked = assertRejects(() => consent.allow({ ...WISH, ...other }, inform), Failure);
    assertEquals(consent.questions().map((question) => question.number), [number + 2]);
    consent.refuse(number + 2);
    await asked;
  }
});

Deno.test("Consent asks once about a file that several connections of a peer want", async () => {
  const { consent, events } = make("ask");
  const all = [consent.allow(WISH, inform), consent.allow(WISH, inform)];
  assertEquals(consent.questions().map(({ number, name }) => [number, name]), [[1, "film.mp4"]]);
  consent.accept(1);
  await Promise.all(all);
  await consent.allow(WISH, inform);
  assertEquals(events.map(({ event }) => event), ["asked", "answered"]);
  // Another file, or the same file for another peer, is another question.
  const others = [
    consent.allow({ ...WISH, root: "r2" }, inform),
    consent.allow({ ...WISH, id: "cd".repeat(32) }, inform),
  ];
  assertEquals(consent.questions().map(({ number }) => number), [2, 3]);
  consent.accept(2);
  consent.accept(3);
  await Promise.all(others);
});

Deno.test("Consent refuses when the owner refuses or does not answer, and asks again at the next request", async () => {
  const { consent, events, timeOut } = make("ask");
  const refused = assertRejects(() => consent.allow(WISH, inform), Failure);
  assertEquals(consent.refuse(1).peer, "rui");
  assertEquals((await refused).code, "refused");
  const late = assertRejects(() => consent.allow(WISH, inform), Failure);
  timeOut();
  assertEquals((await late).code, "refused");
  assertEquals(events.at(-1), { event: "answered", number: 2, allowed: false, inTime: false });
  const { code, message } = assertThrows(() => consent.accept(2), Failure);
  assertEquals([code, message], ["not-found", "There is no request 2"]);
});

Deno.test("Consent remembers always for a key, and asks each time about a client without a key", async () => {
  const { consent, allowed } = make("ask");
  const first = consent.allow(WISH, inform);
  consent.accept(1, { always: true });
  await first;
  await consent.allow({ ...WISH, root: "other" }, inform);
  assertEquals([...allowed], [`${WISH.id} download`]);
  const classroom = consent.allow({ ...WISH, id: NO_ID }, inform);
  consent.accept(2, { always: true });
  await classroom;
  assertEquals([...allowed], [`${WISH.id} download`]);
});

Deno.test("Consent asks about each wish of a client without a key, also for the same file", async () => {
  const { consent } = make("ask");
  const wish = { ...WISH, id: NO_ID, peer: "127.0.0.1" };
  const first = consent.allow(wish, inform);
  consent.accept(1);
  await first;
  const second = assertRejects(() => consent.allow(wish, inform), Failure);
  const third = consent.allow(wish, inform);
  assertEquals(consent.questions().map(({ number }) => number), [2, 3]);
  consent.refuse(2);
  assertEquals((await second).code, "refused");
  consent.accept(3);
  await third;
});

Deno.test("Consent bounds the open questions of each host without a key, and another host can still ask", async () => {
  const { consent } = make("ask");
  const wish = { ...WISH, id: NO_ID, peer: "10.0.0.5" };
  const open = Array.from({ length: QUESTIONS_PER_PEER_MAX }, () => consent.allow(wish, inform));
  assertEquals((await assertRejects(() => consent.allow(wish, inform), Failure)).code, "busy");
  const other = consent.allow({ ...wish, peer: "10.0.0.6" }, inform);
  for (const { number } of consent.questions()) consent.accept(number);
  await Promise.all([...open, other]);
});

Deno.test("Consent displaces questions of an address with many keys when another address asks", async () => {
  const { consent } = make("ask");
  const flood = Array.from({ length: QUESTIONS_OPEN_MAX }, (_, number) => {
    const id = `${number % 20}`.padStart(64, "e");
    return consent.allow({ ...WISH, id, root: `flood ${number}` }, inform, { host: "10.0.0.66" });
  });
  const ended = flood.map((each) => each.then(() => "allowed", (thrown) => thrown.code));
  const honest = consent.allow({ ...WISH, root: "honest" }, inform, { host: "10.0.0.7" });
  assertEquals(await Promise.race(ended), "busy");
  const questions = consent.questions();
  assertEquals([questions.length, questions[0]?.root], [QUESTIONS_OPEN_MAX, "flood 0"]);
  for (const { number } of questions) consent.accept(number);
  await honest;
  assertEquals((await Promise.all(ended)).filter((each) => each === "busy").length, 1);
});

Deno.test("Consent informs callers that wait, and bounds the questions of each peer", async () => {
  const { consent } = make("ask");
  let told = 0;
  const gone = new Failure("closed", "it is gone");
  const waiting = consent.allow(WISH, () => (told += 1, Promise.reject(gone)));
  assertEquals(await assertRejects(() => waiting, Failure), gone);
  assertEquals(told, 1);
  const others = Array.from({ length: QUESTIONS_PER_PEER_MAX - 1 }, (_, number) => {
    return consent.allow({ ...WISH, root: `other ${number}` }, inform);
  });
  assertEquals((await assertRejects(() => consent.allow({ ...WISH, root: "one more" }, inform), Failure)).code, "busy");
  for (const { number } of consent.questions()) consent.accept(number);
  await Promise.all(others);
});
