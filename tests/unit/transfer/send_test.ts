import { assert, assertEquals, assertRejects } from "@std/assert";
import { Failure } from "../../../lib/core/failure.ts";
import { PIECE_BYTES } from "../../../lib/core/content.ts";
import { Folder } from "../../../lib/store/files/folder.ts";
import { sendRange, type SendTurn } from "../../../lib/transfer/send.ts";
import { TempFolder } from "../../support/temp.ts";

const SIZE = 3_500_000;

/** Two ends of a TCP connection. */
async function tcpPair(): Promise<[Deno.TcpConn, Deno.TcpConn]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [there, here] = await Promise.all([
    listener.accept(),
    Deno.connect({ hostname: "127.0.0.1", port: (listener.addr as Deno.NetAddr).port }),
  ]);
  return [here, there];
}

async function readAll(conn: Deno.TcpConn): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of conn.readable) parts.push(part);
  return new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

Deno.test("sendRange() sends exactly the range: the end of a file by pipe, the middle by copy", async () => {
  await using temp = await TempFolder.make();
  const bytes = await Deno.readFile(await temp.file("a.bin", SIZE));
  using folder = await Folder.open(temp.path);
  for (
    const [start, end] of [[0, SIZE], [1_000_001, SIZE], [0, 1], [5, 2_500_000], [SIZE, SIZE], [7, 7], [SIZE - 1, SIZE]]
  ) {
    const range = { start: start ?? 0, end: end ?? 0 };
    const [here, there] = await tcpPair();
    const received = readAll(there);
    {
      using open = folder.openShared("a.bin");
      await sendRange(open, range, here);
    }
    // The connection is still usable: more bytes arrive after the body.
    await here.write(new TextEncoder().encode("next"));
    here.close();
    const whole = await received;
    assertEquals(new TextDecoder().decode(whole.subarray(-4)), "next");
    assert(whole.length - 4 === range.end - range.start, `${whole.length} bytes for ${JSON.stringify(range)}`);
    assert(Array.from(whole.subarray(0, -4)).every((byte, index) => byte === bytes[range.start + index]));
  }
});

Deno.test("sendRange() fails as file-changed when the file shrinks or changes meanwhile", async () => {
  await using temp = await TempFolder.make();
  using folder = await Folder.open(temp.path);
  for (const end of [SIZE, SIZE - 1]) {
    await temp.file("a.bin", SIZE);
    const [here, there] = await tcpPair();
    using open = folder.openShared("a.bin");
    const sending = assertRejects(() => sendRange(open, { start: 0, end }, here), Failure);
    // At once: on a busy machine, all of the file could have been handed to the system by then.
    Deno.truncateSync(temp.at("a.bin"), 1_000_000);
    const received = readAll(there);
    assertEquals((await sending).code, "file-changed");
    here.close();
    assert((await received).length < end);
  }
});

/** A turn that is over, or a turn with a signal that is aborted after some bytes. */
function turnThat(options: { isOver?: boolean; cutAfter?: number }): SendTurn {
  const cut = new AbortController();
  let taken = 0;
  return {
    isOver: options.isOver ?? false,
    signal: cut.signal,
    waits: () => {},
    took: (bytes) => {
      taken += bytes;
      if (taken >= (options.cutAfter ?? Infinity)) cut.abort(new Failure("busy", "cut"));
    },
  };
}

Deno.test("sendRange() ends a turn after a whole piece, if the receiver can continue there", async () => {
  await using temp = await TempFolder.make();
  await temp.file("a.bin", SIZE);
  using folder = await Folder.open(temp.path);
  const turn = turnThat({ isOver: true });
  for (const [canResume, bytes] of [[true, PIECE_BYTES], [false, 3 * PIECE_BYTES]] as const) {
    const [here, there] = await tcpPair();
    const received = readAll(there);
    using open = folder.openShared("a.bin");
    const sending = sendRange(open, { start: 0, end: 3 * PIECE_BYTES }, here, { turn, canResume });
    if (canResume) assertEquals((await assertRejects(() => sending, Failure)).code, "busy");
    else await sending;
    here.close();
    assertEquals((await received).length, bytes);
  }
});

Deno.test("sendRange() ends in the middle of a piece when its signal is aborted", async () => {
  await using temp = await TempFolder.make();
  await temp.file("a.bin", SIZE);
  using folder = await Folder.open(temp.path);
  const [here, there] = await tcpPair();
  const received = readAll(there);
  using open = folder.openShared("a.bin");
  const turn = turnThat({ cutAfter: 1 });
  const failure = await assertRejects(() => sendRange(open, { start: 0, end: SIZE - 1 }, here, { turn }), Failure);
  assertEquals(failure.code, "busy");
  assert((await received).length < SIZE - 1);
});

/** A file on a slow disk, with counters of both kinds of reads. */
function slowFile(file: Deno.FsFile): { file: Deno.FsFile; counts: { waiting: number; threads: number } } {
  const counts = { waiting: 0, threads: 0 };
  const slow: Pick<Deno.FsFile, "seekSync" | "readSync" | "read"> = {
    seekSync: (offset, whence) => file.seekSync(offset, whence),
    readSync(target) {
      counts.waiting += 1;
      const endMs = performance.now() + 20;
      while (performance.now() < endMs);
      return file.readSync(target);
    },
    read(target) {
      counts.threads += 1;
      return file.read(target);
    },
  };
  return { file: slow as Deno.FsFile, counts };
}

Deno.test("sendRange() waits for a slow disk in a thread, so that others are served meanwhile", async () => {
  await using temp = await TempFolder.make();
  const bytes = await Deno.readFile(await temp.file("a.bin", SIZE));
  using folder = await Folder.open(temp.path);
  const [here, there] = await tcpPair();
  const received = readAll(there);
  using open = folder.openShared("a.bin");
  const { file, counts } = slowFile(open.file);
  const end = SIZE - 1;
  const startMs = performance.now();
  await sendRange({ ...open, file, size: SIZE, isUnchanged: () => true }, { start: 0, end }, here);
  const seconds = (performance.now() - startMs) / 1000;
  here.close();
  assertEquals(await received, bytes.subarray(0, end));
  // It tries again after a second, which passes here on a busy machine.
  assert(counts.waiting <= 1 + seconds, `the program waited for ${counts.waiting} slow reads in ${seconds} s`);
  assert(counts.threads > counts.waiting, `threads read only ${counts.threads} times`);
});
