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
   * The writing direction as a stream, where the platform pipes a file into it natively: an
   * encrypted stream has none. Not to be used while a `write` is under way.
   */
  readonly writable?: WritableStream<Uint8Array<ArrayBuffer>> | undefined;
  /** Ends the writing direction only, where the platform can do that. */
  closeWrite?(): Promise<void>;
  /** Ends both directions at once. A pending `read` rejects or ends. */
  close(): void;
}
