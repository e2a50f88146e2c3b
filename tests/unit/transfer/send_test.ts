import { assert, assertEquals, assertRejects } from "@std/assert";
import { Failure } from "../../../lib/core/failure.ts";
import { Folder } from "../../../lib/store/folder.ts";
import { sendRange } from "../../../lib/transfer/send.ts";
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

Deno.test("sendRange() sends exactly the range, to the end of the file by pipe and in the middle by copy", async () => {
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
    // The connection is still good: what follows arrives after the body.
    await here.write(new TextEncoder().encode("next"));
    here.close();
    const whole = await received;
    assertEquals(new TextDecoder().decode(whole.subarray(-4)), "next");
    assert(whole.length - 4 === range.end - range.start, `${whole.length} bytes for ${JSON.stringify(range)}`);
    assert(Array.from(whole.subarray(0, -4)).every((byte, index) => byte === bytes[range.start + index]));
  }
});

Deno.test("sendRange() fails as changed when the file shrinks or changes on the way", async () => {
  await using temp = await TempFolder.make();
  using folder = await Folder.open(temp.path);
  for (const end of [SIZE, SIZE - 1]) {
    await temp.file("a.bin", SIZE);
    const [here, there] = await tcpPair();
    using open = folder.openShared("a.bin");
    const sending = assertRejects(() => sendRange(open, { start: 0, end }, here), Failure);
    await Deno.truncate(temp.at("a.bin"), 1_000_000);
    const received = readAll(there);
    assertEquals((await sending).code, "file-changed");
    here.close();
    assert((await received).length < end);
  }
});
