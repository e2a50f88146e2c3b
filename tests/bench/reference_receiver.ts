/**
 * The bare reference of a receiver: reads a connection to its end, with or without SHA-256 in line,
 * to nowhere or to a file that is synced at the end. Arguments: port, `hash` or `plain`, and a path
 * or `-`; for TLS, the path of the certificate and its host name.
 * @module
 */

import { createHash } from "node:crypto";

const BUFFER_BYTES = 1 << 20;

const [port, hashing, path, certificate, hostname = ""] = Deno.args;
const tcp = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
using conn = certificate === undefined
  ? tcp
  : await Deno.startTls(tcp, { hostname, caCerts: [await Deno.readTextFile(certificate)] });
const hash = hashing === "hash" ? createHash("sha256") : undefined;
const file = path === undefined || path === "-"
  ? undefined
  : await Deno.open(path, { create: true, write: true, truncate: true });
let [buffer, other] = [new Uint8Array(BUFFER_BYTES), new Uint8Array(BUFFER_BYTES)];
let writing: Promise<void> = Promise.resolve();
for (let filled = 0; (filled = await fill(buffer)) > 0; [buffer, other] = [other, buffer]) {
  const bytes = buffer.subarray(0, filled);
  hash?.update(bytes);
  await writing;
  if (file !== undefined) writing = writeAll(file, bytes);
}
await writing;
hash?.digest();
await file?.syncData();
file?.close();

/**
 * Fills a buffer from the connection.
 *
 * @returns How far; less than the whole only at the end.
 */
async function fill(target: Uint8Array): Promise<number> {
  let filled = 0;
  while (filled < target.length) {
    const read = await conn.read(target.subarray(filled));
    if (read === null) break;
    filled += read;
  }
  return filled;
}

async function writeAll(target: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await target.write(bytes.subarray(done));
}
