/**
 * Files that begin like images, with repeatable content.
 * @module
 */

import { dirname } from "@std/path";
import type { ImageType } from "../../lib/core/image_type.ts";
import { seededRandom } from "../../lib/core/random.ts";
import { randomBytes, type TempFolder } from "./temp.ts";

/** How each kind begins. */
const BEGINNINGS: Readonly<Record<ImageType, string>> = {
  png: "\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
  jpeg: "\xff\xd8\xff\xe0\0\x10JFIF\0",
  gif: "GIF89a",
  webp: "RIFF\x10\0\0\0WEBPVP8 ",
};

/** Bytes that pass for an image. */
export function imageBytes(type: ImageType, size: number, seed = size): Uint8Array<ArrayBuffer> {
  const bytes = randomBytes(size, seededRandom(seed));
  bytes.set(Uint8Array.from(BEGINNINGS[type], (character) => character.charCodeAt(0)));
  return bytes;
}

/** Writes such a file. Shape: its path. */
export async function imageFile(folder: TempFolder, name: string, type: ImageType, size: number): Promise<string> {
  const path = folder.at(...name.split("/"));
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeFile(path, imageBytes(type, size));
  return path;
}
