/**
 * The bare reference of a sender: one file over one connection, two buffers, nothing else.
 * Arguments: path, connections to serve; for TLS, the paths of a certificate and its key.
 * @module
 */

const BUFFER_BYTES = 1 << 20;

const [path = "", rounds, certificate, key = ""] = Deno.args;
const at = { hostname: "127.0.0.1", port: 0 };
using listener = certificate === undefined
  ? Deno.listen(at)
  : Deno.listenTls({ ...at, cert: await Deno.readTextFile(certificate), key: await Deno.readTextFile(key) });
console.log(`listening ${(listener.addr as Deno.NetAddr).port}`);
for (let round = 0; round < Number(rounds); round++) await send(await listener.accept());

async function send(conn: Deno.Conn): Promise<void> {
  using file = await Deno.open(path);
  let [buffer, other] = [new Uint8Array(BUFFER_BYTES), new Uint8Array(BUFFER_BYTES)];
  let writing: Promise<void> = Promise.resolve();
  for (let read; (read = await file.read(buffer)) !== null; [buffer, other] = [other, buffer]) {
    await writing;
    writing = writeAll(conn, buffer.subarray(0, read));
  }
  await writing;
  await conn.closeWrite();
  conn.close();
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await conn.write(bytes.subarray(done));
}
