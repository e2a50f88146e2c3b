import { assert, assertEquals, assertRejects } from "@std/assert";
import { Failure } from "../../../lib/core/failure.ts";
import { HELLO_LINE_BYTES_MAX, SEND_QUEUE_BYTES_MAX } from "../../../lib/core/limits.ts";
import { Pace } from "../../../lib/core/flow/pace.ts";
import { Connection } from "../../../lib/net/connection.ts";
import { encodeNews, encodeReply, encodeRequest } from "../../../lib/protocol/envelope.ts";
import { Download } from "../../../lib/protocol/files.ts";
import { Closing, Ping } from "../../../lib/protocol/presence.ts";
import { connectionAndStream, connectionPair, connectionReading } from "../../support/connections.ts";
import { seededRandom } from "../../support/seeded_random.ts";
import { randomBytes } from "../../support/temp.ts";

const WAIT = { waitMs: 2_000 };

function joined(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

Deno.test("Connection gives messages and bodies in order, whatever the size of the chunks", async () => {
  const body = randomBytes(5000, seededRandom(1));
  const reply = encodeReply(Download, { name: "a", size: 5000, modified: 1 }, 7, body.length);
  const bytes = joined(encodeRequest(Ping, {}, 1), reply, body, encodeNews(Closing, {}));
  for (const chunkBytes of [1, 2, 7, 1000, 100_000]) {
    using connection = connectionReading(bytes, chunkBytes);
    assertEquals((await connection.receive(WAIT))?.kind, "request");
    const envelope = await connection.receive(WAIT);
    assert(envelope?.kind === "reply");
    assertEquals(envelope.body, 5000);
    const received = new Uint8Array(5000);
    await connection.readBody(received);
    assertEquals(received, body);
    assertEquals((await connection.receive(WAIT))?.kind, "news");
    assertEquals(await connection.receive(WAIT), null);
  }
});

Deno.test("Connection reads many small bodies with their lines at once", async () => {
  const bodies = Array.from({ length: 40 }, (_, seed) => randomBytes(4096, seededRandom(seed)));
  const replies = bodies.flatMap((body, id) => {
    return [encodeReply(Download, { name: "a", size: body.length, modified: 1 }, id, body.length), body];
  });
  let left = joined(...replies);
  let reads = 0;
  const stream = {
    read: (target: Uint8Array) => {
      reads += 1;
      const read = Math.min(target.length, left.length);
      target.set(left.subarray(0, read));
      left = left.subarray(read);
      return Promise.resolve(read);
    },
    write: (bytes: Uint8Array) => Promise.resolve(bytes.length),
    close() {},
  };
  const address = { host: "127.0.0.1", port: 1 };
  using connection = new Connection(stream, { local: address, remote: address });
  const received = new Uint8Array(4096);
  for (const body of bodies) {
    const reply = await connection.receive(WAIT);
    assert(reply?.kind === "reply");
    await connection.readBody(received);
    assertEquals(received, body);
  }
  assert(reads < bodies.length / 2, `${reads} reads`);
});

Deno.test("Connection goes on after a line that makes no sense", async () => {
  using connection = connectionReading(joined(new TextEncoder().encode("nonsense\n"), encodeRequest(Ping, {}, 1)), 9);
  assertEquals((await assertRejects(() => connection.receive(WAIT), Failure)).code, "malformed");
  assertEquals((await connection.receive(WAIT))?.kind, "request");
});

Deno.test("Connection refuses a long line of a stranger unbuffered, and accepts it of a proven caller", async () => {
  const line = joined(
    new TextEncoder().encode(`{"method":"PING","data":{"x":"${"y".repeat(HELLO_LINE_BYTES_MAX)}"}}\n`),
  );
  using stranger = connectionReading(line, 1000);
  assertEquals((await assertRejects(() => stranger.receive(WAIT), Failure)).code, "too-large");
  using trusted = connectionReading(line, 1000);
  trusted.trust();
  assertEquals((await trusted.receive(WAIT))?.kind, "request");
});

Deno.test("Connection fails as closed when the other side ends in the middle of a line or a body", async () => {
  using inLine = connectionReading(new TextEncoder().encode('{"method":'), 100);
  assertEquals((await assertRejects(() => inLine.receive(WAIT), Failure)).code, "closed");
  using inBody = connectionReading(new Uint8Array(10), 100);
  assertEquals((await assertRejects(() => inBody.readBody(new Uint8Array(11)), Failure)).code, "closed");
});

Deno.test("receive() fails as timeout when nothing comes, and the connection is closed", async () => {
  const [connection, other] = connectionAndStream();
  assertEquals((await assertRejects(() => connection.receive({ waitMs: 20 }), Failure)).code, "timeout");
  assertEquals(connection.ended?.code, "timeout");
  assertEquals((await assertRejects(() => connection.send(encodeRequest(Ping, {}, 1)), Failure)).code, "timeout");
  other.close();
});

Deno.test("close() ends a receive() that waits, with the reason given", async () => {
  const [connection, other] = connectionAndStream();
  const waiting = assertRejects(() => connection.receive(WAIT), Failure, "enough");
  connection.close(new Failure("cancelled", "enough"));
  connection.close();
  assertEquals((await waiting).code, "cancelled");
  other.close();
});

Deno.test("send() keeps messages and bodies whole when many send at once", async () => {
  const [here, there] = connectionPair();
  using _here = here;
  using _there = there;
  const sending = Promise.all([
    ...Array.from({ length: 20 }, (_, id) => here.send(encodeRequest(Ping, {}, id))),
    here.sendWithBody(encodeReply(Download, { name: "a", size: 3, modified: 1 }, 20, 3), async (stream) => {
      await stream.write(new Uint8Array([1]));
      await new Promise((resolve) => setTimeout(resolve, 5));
      await stream.write(new Uint8Array([2, 3]));
    }),
    here.send(encodeRequest(Ping, {}, 21)),
  ]);
  for (let id = 0; id < 22; id++) {
    const envelope = await there.receive(WAIT);
    assert(envelope !== null && envelope.kind !== "news");
    assertEquals(envelope.id, id);
    if (envelope.kind !== "reply") continue;
    const body = new Uint8Array(3);
    await there.readBody(body);
    assertEquals([...body], [1, 2, 3]);
  }
  await sending;
});

Deno.test("send() joins the lines that wait for a write, and mixes none with a body", async () => {
  const writes: string[] = [];
  const free = Promise.withResolvers<void>();
  using connection = new Connection({
    read: () => new Promise(() => {}),
    async write(bytes) {
      writes.push(new TextDecoder().decode(bytes));
      await free.promise;
      return bytes.length;
    },
    close() {},
  }, { local: { host: "127.0.0.1", port: 1 }, remote: { host: "127.0.0.1", port: 2 } });
  const line = (text: string): Uint8Array => new TextEncoder().encode(`${text}\n`);
  const first = connection.send(line("first"));
  await Promise.resolve();
  const sending = [
    first,
    ...["second", "third"].map((text) => connection.send(line(text))),
    connection.sendWithBody(line("fourth"), async (stream) => void await stream.write(line("body"))),
    ...["fifth", "sixth"].map((text) => connection.send(line(text))),
  ];
  free.resolve();
  await Promise.all(sending);
  assertEquals(writes, ["first\n", "second\nthird\n", "fourth\n", "body\n", "fifth\nsixth\n"]);
});

Deno.test("send() cuts off a reader that does not read, once too much waits for it", async () => {
  const [connection, other] = connectionAndStream();
  const line = encodeNews(Closing, { reason: "x".repeat(1000) });
  const sends = Array.from({ length: SEND_QUEUE_BYTES_MAX / line.length + 2 }, () => connection.send(line));
  const results = await Promise.allSettled(sends);
  assert(results.at(-1)?.status === "rejected");
  assertEquals(connection.ended?.code, "busy");
  other.close();
});

Deno.test("sendWithBody() closes the connection when the announced body fails", async () => {
  const [here, there] = connectionPair();
  using _there = there;
  const line = encodeReply(Download, { name: "a", size: 9, modified: 1 }, 1, 9);
  const sending = assertRejects(
    () => here.sendWithBody(line, () => Promise.reject(new Failure("file-changed", "shrunk"))),
    Failure,
  );
  assertEquals((await there.receive(WAIT))?.kind, "reply");
  assertEquals((await sending).code, "file-changed");
  assertEquals(here.ended?.code, "file-changed");
});

Deno.test("Connection counts the bytes of a body that came together with its line against the rate", async () => {
  const body = randomBytes(5000, seededRandom(1));
  const reply = encodeReply(Download, { name: "a", size: 5000, modified: 1 }, 7, body.length);
  const waits: number[] = [];
  const pace = new Pace(1_000, {
    now: () => 0,
    delay(ms) {
      waits.push(ms);
      return Promise.resolve();
    },
  });
  using connection = connectionReading(joined(reply, body), 100_000);
  await connection.receive(WAIT);
  await connection.readBody(new Uint8Array(body.length), pace);
  await pace.take(1);
  assert((waits.at(-1) ?? 0) > 4_500, `waited ${waits} ms for 5 s worth of bytes`);
});
