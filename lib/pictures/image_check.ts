/**
 * Checks whether bytes are an image by their whole structure: the header, every block up to the
 * last, and the checksums where the format has them. Nothing is decoded. Called by the peer that
 * sends a picture and by the one that receives it.
 *
 * Sources: PNG, 3rd edition (W3C); ITU T.81 (JPEG); GIF89a specification; RFC 9649 (WebP).
 * @module
 */

import process from "node:process";
import type { ImageType } from "../core/image_type.ts";
import { IMAGE_PIXELS_MAX } from "../core/limits.ts";

/**
 * Reads numbers and texts of an image. Beyond its end a number reads as NaN, which equals nothing.
 */
class Reader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(at: number): number {
    return this.bytes[at] ?? NaN;
  }

  u16(at: number, littleEndian = false): number {
    return at + 2 <= this.bytes.length ? this.#view.getUint16(at, littleEndian) : NaN;
  }

  u32(at: number, littleEndian = false): number {
    return at + 4 <= this.bytes.length ? this.#view.getUint32(at, littleEndian) : NaN;
  }

  text(at: number, length: number): string {
    return String.fromCharCode(...this.bytes.subarray(at, at + length));
  }
}

/**
 * Checks an image.
 *
 * @returns Its type; undefined when the bytes are no image of a known type, are cut off or damaged,
 * or have too many pixels for a terminal.
 */
export function checkImage(bytes: Uint8Array): ImageType | undefined {
  const reader = new Reader(bytes);
  if (reader.text(0, 8) === "\x89PNG\r\n\x1a\n") return isPng(reader) ? "png" : undefined;
  if (reader.text(0, 3) === "\xff\xd8\xff") return isJpeg(reader) ? "jpeg" : undefined;
  if (/^GIF8[79]a$/.test(reader.text(0, 6))) return isGif(reader) ? "gif" : undefined;
  if (/^RIFF.{4}WEBP$/s.test(reader.text(0, 12))) return isWebp(reader) ? "webp" : undefined;
  return undefined;
}

function isShowable(width: number, height: number): boolean {
  return width > 0 && height > 0 && width * height <= IMAGE_PIXELS_MAX;
}

/**
 * A PNG has chunks of length, type, data and checksum. IHDR is first, at least one is IDAT, and
 * IEND is last with nothing after it.
 */
function isPng(reader: Reader): boolean {
  // A normal import would cost every peer 15 ms at its start, and few of them ever see a PNG.
  const { crc32 } = process.getBuiltinModule("node:zlib");
  let hasData = false;
  for (let at = 8; at < reader.bytes.length;) {
    const length = reader.u32(at);
    const type = reader.text(at + 4, 4);
    const end = at + 12 + length;
    if (!(end <= reader.bytes.length) || !/^[A-Za-z]{4}$/.test(type)) return false;
    if (crc32(reader.bytes.subarray(at + 4, end - 4)) !== reader.u32(end - 4)) return false;
    if ((at === 8) !== (type === "IHDR")) return false;
    if (type === "IHDR" && (length !== 13 || !isShowable(reader.u32(at + 8), reader.u32(at + 12)))) return false;
    if (type === "IDAT") hasData = true;
    if (type === "IEND") return hasData && end === reader.bytes.length;
    at = end;
  }
  return false;
}

/**
 * A JPEG has segments, then scans, then the end mark. Cameras append previews and clips after that,
 * which are accepted.
 */
function isJpeg(reader: Reader): boolean {
  let hasFrame = false;
  let hasScan = false;
  for (let at = 2; at < reader.bytes.length;) {
    if (reader.u8(at) !== 0xff) return false;
    const mark = reader.u8(at + 1);
    if (mark === 0xd9) return hasFrame && hasScan;
    if (mark === 0xff) {
      at += 1;
      continue;
    }
    const length = reader.u16(at + 2);
    if (!(length >= 2) || mark < 0xc0) return false;
    // Frame headers; C4, CC and C8 are tables and an extension that have numbers of the same range.
    if (mark <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(mark)) {
      if (!isShowable(reader.u16(at + 7), reader.u16(at + 5))) return false;
      hasFrame = true;
    }
    at += 2 + length;
    if (mark === 0xda) {
      hasScan = true;
      at = scanEnd(reader.bytes, at);
    }
  }
  return false;
}

/** Finds the end of a scan's data: the next mark that is neither a stuffed byte nor a restart. */
function scanEnd(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at !== -1; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1] ?? 0;
    if (next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return at;
  }
  return bytes.length;
}

/**
 * A GIF has a header, colours, extensions and images in blocks of sub-blocks, and a trailer with
 * nothing but zeros after it.
 */
function isGif(reader: Reader): boolean {
  if (!isShowable(reader.u16(6, true), reader.u16(8, true))) return false;
  let hasImage = false;
  let at = 13 + coloursBytes(reader.u8(10));
  while (at < reader.bytes.length) {
    const kind = reader.u8(at);
    if (kind === 0x3b) return hasImage && reader.bytes.subarray(at + 1).every((byte) => byte === 0);
    if (kind === 0x21) at += 2;
    else if (kind === 0x2c) {
      hasImage = true;
      at += 10 + coloursBytes(reader.u8(at + 9)) + 1;
    } else return false;
    while (reader.u8(at) > 0) at += 1 + reader.u8(at);
    if (reader.u8(at) !== 0) return false;
    at += 1;
  }
  return false;
}

/** The size of a table of colours, from the flags of a GIF's header or image. */
function coloursBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1);
}

/**
 * A WebP is a RIFF of exactly its stated size, with a chunk of image data that begins correctly.
 */
function isWebp(reader: Reader): boolean {
  const { length } = reader.bytes;
  if (reader.u32(4, true) + 8 !== length) return false;
  let hasImage = false;
  for (let at = 12; at < length;) {
    const type = reader.text(at, 4);
    const size = reader.u32(at + 4, true);
    const data = at + 8;
    at = data + size + size % 2;
    if (!(at <= length)) return false;
    if (type === "VP8X" && !isShowable(u24(reader, data + 4) + 1, u24(reader, data + 7) + 1)) return false;
    if (type === "VP8 ") {
      if (reader.text(data + 3, 3) !== "\x9d\x01\x2a") return false;
      if (!isShowable(reader.u16(data + 6, true) & 0x3fff, reader.u16(data + 8, true) & 0x3fff)) return false;
      hasImage = true;
    }
    if (type === "VP8L") {
      const bits = reader.u32(data + 1, true);
      if (reader.u8(data) !== 0x2f || !isShowable((bits & 0x3fff) + 1, (bits >>> 14 & 0x3fff) + 1)) return false;
      hasImage = true;
    }
    // One frame of an animation: its own chunks come after sixteen bytes of position and timing.
    if (type === "ANMF") hasImage ||= /^(ALPH|VP8 |VP8L)$/.test(reader.text(data + 16, 4));
  }
  return hasImage;
}

function u24(reader: Reader, at: number): number {
  return reader.u16(at, true) + reader.u8(at + 2) * 65_536;
}
