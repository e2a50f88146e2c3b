/**
 * What a connection runs over. A TCP or TLS connection of the platform is one as it is.
 * @module
 */

/** Two directions of bytes. `Deno.Conn` is one. */
export interface ByteStream {
  /**
   * Reads at least one byte into `target`.
   *
   * @returns How many it read, or null at the end.
   */
  read(target: Uint8Array): Promise<number | null>;
  /**
   * Writes at least one byte of `bytes`.
   *
   * @returns How many it wrote.
   */
  write(bytes: Uint8Array): Promise<number>;
  /**
   * The writing direction as a stream, where a file can be piped into it faster than with `write`.
   * Not to be used while a `write` is under way.
   */
  readonly writable?: WritableStream<Uint8Array<ArrayBuffer>> | undefined;
  /** Ends the writing direction only, where the platform can do that. */
  closeWrite?(): Promise<void>;
  /** Ends both directions at once. A pending `read` rejects or ends. */
  close(): void;
}

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
