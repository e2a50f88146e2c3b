/**
 * Images as far as their structure goes, with repeatable content.
 * @module
 */

import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import type { ImageType } from "../../lib/core/image_type.ts";
import { seededRandom } from "./seeded_random.ts";
import { randomBytes, type TempFolder } from "./temp.ts";

/** An image of a kind, of 64 by 64 pixels, around `payload`; larger by what its structure takes. */
export function imageAround(type: ImageType, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  switch (type) {
    case "png":
      return joined(
        latin("\x89PNG\r\n\x1a\n"),
        pngChunk("IHDR", joined(u32(64), u32(64), latin("\x08\x02\0\0\0"))),
        pngChunk("IDAT", payload),
        pngChunk("IEND", latin("")),
      );
    case "jpeg":
      return joined(
        latin("\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
        latin("\xff\xc0\0\x0b\x08\0\x40\0\x40\x01\x01\x11\0\xff\xda\0\x08\x01\x01\0\0\x3f\0"),
        payload.map((byte) => byte === 0xff ? 0xfe : byte),
        latin("\xff\xd9"),
      );
    case "gif": {
      const blocks = [];
      for (let at = 0; at < payload.length; at += 255) {
        const block = payload.subarray(at, at + 255);
        blocks.push(new Uint8Array([block.length]), block);
      }
      return joined(latin("GIF89a\x40\0\x40\0\0\0\0,\0\0\0\0\x40\0\x40\0\0\x08"), ...blocks, latin("\0;"));
    }
    case "webp": {
      const data = joined(latin("\0\0\0\x9d\x01\x2a\x40\0\x40\0"), payload);
      const chunk = joined(latin("WEBPVP8 "), u32(data.length, true), data, new Uint8Array(data.length % 2));
      return joined(latin("RIFF"), u32(chunk.length, true), chunk);
    }
  }
}

/** An image of exactly `size` bytes. */
export function imageBytes(type: ImageType, size: number, seed = size): Uint8Array<ArrayBuffer> {
  for (let payload = Math.max(0, size - 80 - Math.ceil(size / 255)); payload < size; payload++) {
    if (sizeAround(type, payload) !== size) continue;
    return imageAround(type, randomBytes(payload, seededRandom(seed)));
  }
  throw new RangeError(`There is no ${type} of ${size} bytes here`);
}

/**
 * Writes such a file.
 *
 * @returns Its path.
 */
export async function imageFile(folder: TempFolder, name: string, type: ImageType, size: number): Promise<string> {
  const path = folder.at(...name.split("/"));
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeFile(path, imageBytes(type, size));
  return path;
}

function sizeAround(type: ImageType, payload: number): number {
  const empty = imageAround(type, new Uint8Array(0)).length;
  const extra = type === "gif" ? Math.ceil(payload / 255) : type === "webp" ? payload % 2 : 0;
  return empty + payload + extra;
}

function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const body = joined(latin(type), data);
  return joined(u32(data.length), body, u32(crc32(body)));
}

function u32(value: number, littleEndian = false): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, littleEndian);
  return bytes;
}

function latin(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
