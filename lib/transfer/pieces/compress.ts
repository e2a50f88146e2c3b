/**
 * Compresses and decompresses single pieces with gzip (RFC 1952), by the platform's
 * `CompressionStream`. Neither side ever holds more than one piece. Decompressing ends at the
 * expected size, so a "zip bomb" does no harm.
 * @module
 */

import { Failure } from "../../core/failure.ts";

/** Endings of formats that are already compressed. */
const COMPRESSED_ENDINGS = new Set(
  `
    7z aac apk avi avif br bz2 cab deb dmg docx epub flac gif gz heic iso jar jpg jpeg lz4 m4a
    m4v mkv mov mp3 mp4 mpg mpeg odp ods odt oga ogg ogv opus png pptx rar rpm tgz webm webp
    wma wmv woff woff2 xlsx xz zip zst
  `.trim().split(/\s+/),
);
/**
 * The platform compresses each chunk without a pause. Small chunks leave time for everything else.
 */
const PART_BYTES = 64 * 1024;
/** A piece that does not shrink by a tenth is not worth decompressing. */
const WORTH = 0.9;

/** Whether compressing may help, judged by the ending of the name. */
export function mayShrink(name: string): boolean {
  const ending = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  return !name.includes(".") || !COMPRESSED_ENDINGS.has(ending);
}

/** The compressed bytes; undefined when they are hardly smaller. */
export async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array | undefined> {
  const packed = new Uint8Array(Math.floor(bytes.length * WORTH));
  let filled = 0;
  for await (const chunk of through(bytes, new CompressionStream("gzip"))) {
    if (filled + chunk.length > packed.length) return undefined;
    packed.set(chunk, filled);
    filled += chunk.length;
  }
  return packed.subarray(0, filled);
}

/**
 * Decompresses into `target`.
 *
 * @throws {Failure} "corrupt" unless `target` becomes exactly full.
 */
export async function gunzip(packed: Uint8Array<ArrayBuffer>, target: Uint8Array): Promise<void> {
  let filled = 0;
  try {
    for await (const chunk of through(packed, new DecompressionStream("gzip"))) {
      if (filled + chunk.length > target.length) throw new RangeError("it is longer than it should be");
      target.set(chunk, filled);
      filled += chunk.length;
    }
  } catch (cause) {
    throw new Failure("corrupt", "Cannot unpack what was sent", { cause });
  }
  if (filled < target.length) throw new Failure("corrupt", "Cannot unpack what was sent: it is too short");
}

async function* through(
  bytes: Uint8Array<ArrayBuffer>,
  transform: CompressionStream | DecompressionStream,
): AsyncGenerator<Uint8Array> {
  let start = 0;
  const parts = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (start >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(start, start += PART_BYTES));
    },
  });
  // Leaving the loop early cancels both streams.
  yield* parts.pipeThrough(transform);
}
