import { assertEquals, assertLess, assertRejects } from "@std/assert";
import { Failure } from "../../../lib/core/failure.ts";
import { MALFORMED_LINES_MAX } from "../../../lib/core/limits.ts";
import { PROTOCOL_VERSION } from "../../../lib/core/version.ts";
import { answerRequests, route, routes } from "../../../lib/net/answerer.ts";
import { ask, askAll, askAndRead, Caller, greet, makeNonce } from "../../../lib/net/caller.ts";
import { joinBytes } from "../../../lib/core/bytes.ts";
import { Connection } from "../../../lib/net/connection.ts";
import { Identity } from "../../../lib/net/identity.ts";
import { encodeFailure, encodeNews, encodeReply, encodeRequest } from "../../../lib/protocol/envelope.ts";
import { Hello } from "../../../lib/protocol/hello.ts";
import { Pieces, Queued } from "../../../lib/protocol/files.ts";
import { Closing, Leave, Ping } from "../../../lib/protocol/presence.ts";
import { connectionPair } from "../../support/connections.ts";
import { memoryPair } from "../../support/memory_streams.ts";

const WAIT = { waitMs: 2_000 };
/** Greets something that answers like an index, and proves this key. */
const PROVEN = { called: "index", identity: await Identity.make() } as const;

/** Answers the next requests with these lines, whatever they ask. */
async function answerWith(connection: Connection, ...lines: Uint8Array[]): Promise<void> {
  for (const line of lines) {
    await connection.receive(WAIT);
    await connection.send(line);
  }
}

Deno.test("call() gives each caller its own answer, in whatever order they come, and passes news on", async () => {
  const [here, there] = connectionPair();
  using _there = there;
  const caller = new Caller(here);
  const news: string[] = [];
  const ended = caller.run((event) => news.push(event), WAIT);
  const first = caller.call(Ping, {});
  const second = assertRejects(() => caller.call(Leave, {}), Failure, "not now");
  await there.receive(WAIT);
  await there.receive(WAIT);
  await there.send(encodeNews(Closing, {}));
  await there.send(encodeFailure(new Failure("busy", "not now"), 2));
  await there.send(encodeReply(Ping, {}, 999));
  await there.send(encodeReply(Ping, {}, 1));
  assertEquals(await first, {});
  assertEquals((await second).code, "busy");
  assertEquals(news, ["CLOSING"]);
  here.close();
  await ended;
});

Deno.test("call() fails when the connection ends, and after it has ended", async () => {
  const [here, there] = connectionPair();
  const caller = new Caller(here);
  const ended = caller.run(() => {}, WAIT);
  const waiting = assertRejects(() => caller.call(Ping, {}), Failure);
  await there.receive(WAIT);
  there.close();
  assertEquals((await waiting).code, "closed");
  assertEquals((await ended).code, "closed");
  assertEquals((await assertRejects(() => caller.call(Ping, {}), Failure)).code, "closed");
});

Deno.test("run() ends on anything that no honest index sends", async () => {
  for (
    const line of [
      '{"method":"PING"}\n',
      "garbage\n",
      '{"status":"ERROR","data":{"code":"busy","message":"full","retry":true}}\n',
    ]
  ) {
    const [here, there] = connectionPair();
    const ended = new Caller(here).run(() => {}, WAIT);
    await there.send(new TextEncoder().encode(line));
    const why = await ended;
    assertEquals(why.code, line.includes("busy") ? "busy" : "malformed");
    there.close();
  }
});

Deno.test("ask() refuses answers to something else, bodies nobody asked for, and data out of bounds", async () => {
  const wrong = [
    encodeReply(Leave, {}, 1),
    encodeReply(Ping, {}, 1, 5),
    new TextEncoder().encode('{"status":"PING_OK","data":7,"id":1}\n'),
    new TextEncoder().encode('{"method":"PING","id":1}\n'),
  ];
  for (const line of wrong) {
    const [here, there] = connectionPair();
    const answering = answerWith(there, line);
    assertEquals((await assertRejects(() => ask(here, Ping, {}), Failure)).code, "malformed");
    await answering;
    here.close();
    there.close();
  }
});

Deno.test("greet() and answerRequests() know each other, and tell versions apart", async () => {
  const [here, there] = connectionPair();
  const answering = answerRequests(there, routes(), {}, { name: () => "ana", idleMs: 2_000 });
  assertEquals(await greet(here), "ana");
  here.close();
  await answering;

  const [old, current] = connectionPair();
  const refusing = answerRequests(current, routes(), {}, { idleMs: 2_000 });
  const line = `{"method":"HELLO","data":{"version":${PROTOCOL_VERSION + 1},"software":"x"},"id":1}\n`;
  await old.send(new TextEncoder().encode(line));
  const answer = await old.receive(WAIT);
  assertEquals(answer?.kind === "failure" ? answer.failure.code : answer?.kind, "unsupported");
  old.close();
  assertEquals((await refusing)?.code, "unsupported");
});

Deno.test("answerRequests() requires HELLO first, and disconnects callers that send only malformed lines", async () => {
  const calls: unknown[] = [];
  const answers = routes(
    route(Ping, (context: string) => {
      calls.push(context);
      return Promise.resolve({ data: {} });
    }),
  );
  const [rude, there] = connectionPair();
  const rudeAnswered = answerRequests(there, answers, "rude", { idleMs: 2_000 });
  await rude.send(new TextEncoder().encode('{"method":"PING","id":1}\n'));
  const refused = await rude.receive(WAIT);
  assertEquals(refused?.kind === "failure" ? refused.failure.message : "", "Say HELLO first");
  assertEquals((await rudeAnswered)?.code, "malformed");
  rude.close();

  const [here, polite] = connectionPair();
  const answered = answerRequests(polite, answers, "polite", { idleMs: 2_000 });
  await greet(here, PROVEN);
  const codes: string[] = [];
  for (const line of ["?", "{}", '{"method":"NO_SUCH","id":4}', '{"method":"PING","id":5}', ..."????????"]) {
    await here.send(new TextEncoder().encode(`${line}\n`)).catch(() => {});
    const envelope = await here.receive(WAIT).catch(() => null);
    codes.push(envelope === null ? "end" : envelope.kind === "failure" ? envelope.failure.code : envelope.kind);
  }
  assertEquals(codes.slice(0, 4), ["malformed", "malformed", "unsupported", "reply"]);
  assertEquals(codes.at(-1), "end");
  assertEquals(calls, ["polite"]);
  assertEquals((await answered)?.code, "malformed");
  here.close();
});

Deno.test("answerRequests() refuses everything between HELLO and PROVE, and then disconnects the caller", async () => {
  const [here, there] = connectionPair();
  let calls = 0;
  const answers = routes(route(Ping, () => Promise.resolve({ data: { calls: ++calls } })));
  const answered = answerRequests(there, answers, undefined, { idleMs: 2_000 });
  await greet(here);
  for (const message of ["HELLO", "PING"]) {
    const refused = await assertRejects(() => message === "PING" ? ask(here, Ping, {}) : greet(here), Failure);
    assertEquals(refused.code, "unproven", message);
  }
  for (let time = 0; time < MALFORMED_LINES_MAX; time++) await ask(here, Ping, {}).catch(() => {});
  assertEquals([(await answered)?.code, calls], ["unproven", 0]);
  here.close();
});

Deno.test("answerRequests() sends the answers to requests that came together in few writes, in order", async () => {
  const REQUESTS = 40;
  const requests: number[] = [];
  const answers = routes(route(Ping, () => {
    requests.push(requests.length);
    return Promise.resolve({ data: {} });
  }));
  const [stream, there] = memoryPair();
  let writes = 0;
  const counted = { ...stream, read: stream.read.bind(stream), close: stream.close.bind(stream) };
  const answering = new Connection({
    ...counted,
    async write(bytes) {
      writes += 1;
      // The system has the bytes a moment later.
      await new Promise((resolve) => setTimeout(resolve, 1));
      return await stream.write(bytes);
    },
  }, { local: { host: "127.0.0.1", port: 1 }, remote: { host: "127.0.0.1", port: 2 } });
  const ended = answerRequests(answering, answers, undefined, { idleMs: 2_000 });
  using asking = new Connection(there, { local: answering.remote, remote: answering.local });
  await greet(asking, PROVEN);
  writes = 0;
  const all = Array.from({ length: REQUESTS }, (_, index) => encodeRequest(Ping, {}, index + 1));
  await asking.send(joinBytes(all));
  for (let id = 1; id <= REQUESTS; id++) {
    const envelope = await asking.receive(WAIT);
    assertEquals([envelope?.kind, envelope?.kind === "reply" && envelope.id], ["reply", id]);
  }
  assertLess(writes, 5);
  asking.close();
  await ended;
});

Deno.test("answerRequests() reports a bug, and answers it as internal without details", async () => {
  const bugs: unknown[] = [];
  const [here, there] = connectionPair();
  const answers = routes(route(Ping, () => Promise.reject(new TypeError("secret path /etc/passwd"))));
  const answered = answerRequests(there, answers, undefined, { idleMs: 2_000, onBug: (bug) => bugs.push(bug) });
  await greet(here, PROVEN);
  const failure = await assertRejects(() => ask(here, Ping, {}), Failure);
  assertEquals([failure.code, failure.message], ["internal", "Cannot answer PING"]);
  assertEquals(bugs.length, 1);
  here.close();
  await answered;
});

Deno.test("askAndRead() asks before earlier requests are answered, and reads its answer after theirs", async () => {
  const [here, there] = connectionPair();
  using _here = here;
  using _there = there;
  const body = (reply: { bodyBytes: number }): Promise<number> => readByte(here, reply.bodyBytes);
  const first = askAndRead(here, Pieces, { name: "a", from: 0, limit: 1 }, body);
  const second = askAndRead(here, Pieces, { name: "b", from: 0, limit: 1 }, body);
  const third = ask(here, Ping, {});
  for (let count = 0; count < 3; count++) await there.receive(WAIT);
  for (const byte of [8, 9]) {
    const line = encodeReply(Pieces, { name: "a", size: 1, modified: 1 }, 1, 1);
    await there.sendWithBody(line, async (stream) => void await stream.write(new Uint8Array([byte])));
  }
  await there.send(encodeReply(Ping, {}, 1));
  assertEquals(await Promise.all([first, second, third]), [8, 9, { data: {}, bodyBytes: 0 }]);
});

Deno.test("askAll() that is not read to its end lets nobody read after it", async () => {
  const [here, there] = connectionPair();
  using _here = here;
  using _there = there;
  const stopping = (async () => {
    for await (const _ of askAll(here, Ping, [{}, {}], { ahead: 2 })) throw new RangeError("enough");
  })();
  const next = assertRejects(() => ask(here, Ping, {}), Failure, "not read to its end");
  await there.send(encodeReply(Ping, {}, 1));
  await assertRejects(() => stopping, RangeError);
  assertEquals((await next).code, "closed");
});

Deno.test("greet() goes on before its proof is accepted, and a refusal fails the next request", async () => {
  const [here, there] = connectionPair();
  using _here = here;
  using _there = there;
  there.trust();
  const greeting = greet(here, { ...PROVEN, goesOn: true });
  await answerWith(there, encodeReply(Hello, { version: PROTOCOL_VERSION, software: "x", nonce: makeNonce() }, 1));
  await greeting;
  const asking = assertRejects(() => ask(here, Ping, {}), Failure, "the room key is another");
  await there.receive(WAIT);
  await there.receive(WAIT);
  await there.send(encodeFailure(new Failure("no-member", "the room key is another"), 1));
  // Nobody reads the answer to what was asked next.
  there.send(encodeFailure(new Failure("unproven", "Prove your identity first"), 1)).catch(() => {});
  assertEquals((await asking).code, "no-member");
  assertEquals((await assertRejects(() => ask(here, Ping, {}), Failure)).code, "no-member");
});

async function readByte(connection: Connection, bodyBytes: number): Promise<number> {
  assertEquals(bodyBytes, 1);
  const byte = new Uint8Array(1);
  await connection.readBody(byte);
  return byte[0] ?? -1;
}

Deno.test("askAll() sends further requests several at a time, as answers come", async () => {
  const [here, there] = connectionPair();
  using _here = here;
  using _there = there;
  let sent = 0;
  const questions = (function* () {
    for (; sent < 30;) yield (sent += 1, {});
  })();
  const sentAtAnswer: number[] = [];
  const answering = (async () => {
    for (let id = 1; id <= 30; id++) {
      await there.receive(WAIT);
      await there.send(encodeReply(Ping, {}, id));
    }
  })();
  for await (const _reply of askAll(here, Ping, questions, { ahead: 16 })) sentAtAnswer.push(sent);
  await answering;
  const steps = [...new Set(sentAtAnswer)].map((count, at, all) => count - (all[at - 1] ?? 0));
  assertEquals(sentAtAnswer.length, 30);
  assertLess(steps.length, 7);
});

Deno.test("ask() leaves the body of a reply on the connection", async () => {
  const [here, there] = connectionPair();
  const answers = routes(route(Pieces, () =>
    Promise.resolve({
      data: { name: "a", size: 1, modified: 1 },
      body: { bytes: 2, write: async (stream) => void await stream.write(new Uint8Array([8, 9])) },
    })));
  const answered = answerRequests(there, answers, undefined, { idleMs: 2_000 });
  await greet(here, PROVEN);
  const { bodyBytes } = await ask(here, Pieces, { name: "a", from: 0, limit: 1 });
  const body = new Uint8Array(bodyBytes);
  await here.readBody(body);
  assertEquals([...body], [8, 9]);
  here.close();
  await answered;
});

Deno.test("ask() ends in time whatever news comes, unless the answer may wait for a person or a turn", async () => {
  const [here, there] = connectionPair();
  const talking = setInterval(() => there.send(encodeNews(Queued, { before: 0 })).catch(() => {}), 20);
  const failure = await assertRejects(
    () => ask(here, Pieces, { name: "a", from: 0, limit: 1 }, { waitMs: 200 }),
    Failure,
  );
  assertEquals(failure.code, "timeout");
  clearInterval(talking);
  there.close();

  const [patient, slow] = connectionPair();
  let heard = 0;
  const onNews = (): void => {
    heard += 1;
    if (heard === 15) slow.send(encodeReply(Ping, {}, 1));
  };
  const queuing = setInterval(() => slow.send(encodeNews(Queued, { before: 0 })).catch(() => {}), 100);
  assertEquals((await ask(patient, Ping, {}, { waitMs: 1_000, onNews })).data, {});
  clearInterval(queuing);
  patient.close();
  slow.close();
});
