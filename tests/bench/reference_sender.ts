/**
 * The bare reference of a sender: one file over one connection, two buffers, nothing else. Arguments: path, connections to serve.
 * @module
 */

const BUFFER_BYTES = 1 << 20;

const [path = "", rounds] = Deno.args;
using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
console.log(`listening ${(listener.addr as Deno.NetAddr).port}`);
for (let round = 0; round < Number(rounds); round++) await send(await listener.accept());

async function send(conn: Deno.TcpConn): Promise<void> {
  using file = await Deno.open(path);
  let [buffer, other] = [new Uint8Array(BUFFER_BYTES), new Uint8Array(BUFFER_BYTES)];
  let writing: Promise<void> = Promise.resolve();
  for (let read; (read = await file.read(buffer)) !== null; [buffer, other] = [other, buffer]) {
    await writing;
    writing = writeAll(conn, buffer.subarray(0, read));
  }
  await writing;
  conn.close();
}

async function writeAll(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await conn.write(bytes.subarray(done));
}
