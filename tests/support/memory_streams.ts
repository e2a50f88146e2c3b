/**
 * Streams of bytes in memory.
 * @module
 */

import type { ByteStream } from "../../lib/net/byte_stream.ts";

/** A pair of web streams as a byte stream. */
export function streamOf(
  pair: { readable: ReadableStream<Uint8Array>; writable: WritableStream<Uint8Array> },
): ByteStream {
  const reader = pair.readable.getReader();
  let rest = new Uint8Array(0);
  return {
    writable: pair.writable,
    async read(target) {
      while (rest.length === 0) {
        const { done, value } = await reader.read();
        if (done) return null;
        rest = new Uint8Array(value);
      }
      const moved = Math.min(target.length, rest.length);
      target.set(rest.subarray(0, moved));
      rest = rest.subarray(moved);
      return moved;
    },
    async write(bytes) {
      const writer = pair.writable.getWriter();
      try {
        await writer.write(bytes.slice());
        return bytes.length;
      } finally {
        writer.releaseLock();
      }
    },
    close() {
      const ignored = (): void => {};
      reader.cancel().catch(ignored);
      if (!pair.writable.locked) pair.writable.close().catch(ignored);
    },
  };
}

/** Two ends in memory: what is written to one is read from the other. */
export function memoryPair(): [ByteStream, ByteStream] {
  const there = new TransformStream<Uint8Array, Uint8Array>();
  const back = new TransformStream<Uint8Array, Uint8Array>();
  return [
    streamOf({ readable: back.readable, writable: there.writable }),
    streamOf({ readable: there.readable, writable: back.writable }),
  ];
}
