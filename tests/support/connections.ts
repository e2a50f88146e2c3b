/**
 * Connections in memory, for tests that need no socket.
 * @module
 */

import type { ByteStream } from "../../lib/net/byte_stream.ts";
import { Connection, type ConnectionEnds } from "../../lib/net/connection.ts";
import { memoryPair } from "./memory_streams.ts";

const ENDS: ConnectionEnds = { local: { host: "127.0.0.1", port: 1 }, remote: { host: "127.0.0.1", port: 2 } };

/** Two connections, each the other's end; the second one's ends may be made up. */
export function connectionPair(ends = ENDS): [Connection, Connection] {
  const [a, b] = memoryPair();
  return [new Connection(a, ENDS), new Connection(b, ends)];
}

/** A connection and the raw stream at its other end. */
export function connectionAndStream(): [Connection, ByteStream] {
  const [a, b] = memoryPair();
  return [new Connection(a, ENDS), b];
}

/**
 * A connection over which these bytes arrive, cut into chunks of the given size, and then nothing
 * more.
 */
export function connectionReading(bytes: Uint8Array, chunkBytes: number): Connection {
  let position = 0;
  const stream: ByteStream = {
    read(target) {
      if (position >= bytes.length) return Promise.resolve(null);
      const chunk = bytes.subarray(position, position + Math.min(chunkBytes, target.length));
      target.set(chunk);
      position += chunk.length;
      return Promise.resolve(chunk.length);
    },
    write: (written) => Promise.resolve(written.length),
    writable: new WritableStream(),
    close() {},
  };
  return new Connection(stream, ENDS);
}
