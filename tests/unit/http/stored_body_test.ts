import { assert, assertEquals, assertRejects } from "@std/assert";
import { Failure } from "../../../lib/core/failure.ts";
import type { Range } from "../../../lib/core/range.ts";
import { HttpFailure } from "../../../lib/http/failure.ts";
import { readRange, StoredBody } from "../../../lib/http/stored_body.ts";

const BYTES = Uint8Array.from({ length: 1_000_000 }, (_, at) => at % 251);

/** A body of bytes in memory, which counts the readers that are open. */
function memoryBody(options: { readMax?: number } = {}) {
  const { readMax = Infinity } = options;
  const open = { readers: 0, everOpened: 0 };
  const body = new StoredBody({
    size: BYTES.length,
    type: "video/mp4",
    tag: "root",
    open: () => {
      open.readers += 1;
      open.everOpened += 1;
      return Promise.resolve({
        readAt(target, start) {
          const read = Math.min(target.length, readMax, BYTES.length - start);
          target.set(BYTES.subarray(start, start + read));
          return Promise.resolve(read);
        },
        [Symbol.dispose]: () => void (open.readers -= 1),
      });
    },
  });
  return { body, open };
}

Deno.test("readRange() reads the ranges of RFC 9110", () => {
  const cases: [header: string, range: Range | undefined | 416][] = [
    ["bytes=0-0", { start: 0, end: 1 }],
    ["bytes=0-", { start: 0, end: 100 }],
    ["bytes=10-19", { start: 10, end: 20 }],
    ["bytes=99-", { start: 99, end: 100 }],
    ["bytes=50-1000", { start: 50, end: 100 }],
    ["bytes=-1", { start: 99, end: 100 }],
    ["bytes=-1000", { start: 0, end: 100 }],
    ["Bytes = 1-2 ", { start: 1, end: 3 }],
    ["bytes=100-", 416],
    ["bytes=100-200", 416],
    ["bytes=-0", 416],
    ["bytes=-", undefined],
    ["bytes=5-4", undefined],
    ["bytes=0-1,3-4", undefined],
    ["bytes=a-b", undefined],
    ["bytes=9999999999999999-", undefined],
    ["lines=0-1", undefined],
    ["", undefined],
  ];
  for (const [header, expected] of cases) {
    let result: Range | undefined | 416;
    try {
      result = readRange(header, 100);
    } catch (thrown) {
      assert(thrown instanceof HttpFailure, header);
      assertEquals(thrown.headers, { "content-range": "bytes */100" }, header);
      result = 416;
    }
    assertEquals(result, expected, header);
  }
});

Deno.test("readRange() has no range of an empty body", () => {
  for (const header of ["bytes=0-", "bytes=0-0", "bytes=-1"]) {
    let thrown: unknown;
    try {
      readRange(header, 0);
    } catch (each) {
      thrown = each;
    }
    assert(thrown instanceof HttpFailure && thrown.status === 416, header);
  }
});

Deno.test("StoredBody sends all bytes, with their type, size and tag", async () => {
  const { body, open } = memoryBody({ readMax: 100_000 });
  const response = body.respond(new Headers(), new Headers({ "cache-control": "no-cache" }));
  assertEquals(response.status, 200);
  assertEquals(Object.fromEntries(response.headers), {
    "accept-ranges": "bytes",
    "cache-control": "no-cache",
    "content-length": "1000000",
    "content-type": "video/mp4",
    "etag": '"root"',
  });
  assertEquals(await response.bytes(), BYTES);
  assertEquals(open.readers, 0);
});

Deno.test("StoredBody sends the range that is asked for", async () => {
  const { body } = memoryBody();
  const response = body.respond(new Headers({ range: "bytes=300000-799999" }), new Headers());
  assertEquals([response.status, response.headers.get("content-range")], [206, "bytes 300000-799999/1000000"]);
  assertEquals(response.headers.get("content-length"), "500000");
  assertEquals(await response.bytes(), BYTES.slice(300_000, 800_000));
});

Deno.test("StoredBody sends the whole body when the range is of other bytes", async () => {
  const { body } = memoryBody();
  const ask = async (condition: string): Promise<number> => {
    const response = body.respond(new Headers({ range: "bytes=0-0", "if-range": condition }), new Headers());
    await response.body?.cancel();
    return response.status;
  };
  assertEquals([await ask('"root"'), await ask('"older"'), await ask('W/"root"')], [206, 200, 200]);
});

Deno.test("StoredBody sends nothing when the client has the bytes", () => {
  const { body, open } = memoryBody();
  const response = body.respond(new Headers({ "if-none-match": '"x", "root"' }), new Headers());
  assertEquals([response.status, response.body, open.everOpened], [304, null, 0]);
});

Deno.test("StoredBody closes its reader when the client disconnects", async () => {
  const { body, open } = memoryBody();
  const stream = body.respond(new Headers(), new Headers()).body;
  const reader = stream?.getReader();
  assertEquals((await reader?.read())?.value?.length, 256 * 1024);
  assertEquals(open.readers, 1);
  await reader?.cancel();
  assertEquals(open.readers, 0);
});

Deno.test("StoredBody reads into the buffer of a reader that brings one", async () => {
  const { body, open } = memoryBody();
  const response = body.respond(new Headers({ range: "bytes=999000-" }), new Headers());
  const reader = response.body?.getReader({ mode: "byob" });
  const first = await reader?.read(new Uint8Array(600));
  const second = await reader?.read(new Uint8Array(600));
  assertEquals([first?.value, second?.value], [BYTES.slice(999_000, 999_600), BYTES.slice(999_600)]);
  assertEquals([(await reader?.read(new Uint8Array(600)))?.done, open.readers], [true, 0]);
});

Deno.test("StoredBody fails when there are fewer bytes than it has announced", async () => {
  const body = new StoredBody({
    size: 10,
    type: "text/plain",
    tag: "root",
    open: () => Promise.resolve({ readAt: () => Promise.resolve(0), [Symbol.dispose]() {} }),
  });
  await assertRejects(() => body.respond(new Headers(), new Headers()).bytes(), Failure, "it has become shorter");
});

Deno.test("StoredBody without bytes opens nothing", async () => {
  const body = new StoredBody({
    size: 0,
    type: "text/plain",
    tag: "root",
    open: () => Promise.reject(new Error("opened")),
  });
  const response = body.respond(new Headers(), new Headers());
  assertEquals([response.status, response.headers.get("content-length"), await response.text()], [200, "0", ""]);
});
