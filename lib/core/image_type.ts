/**
 * Which kind of image some bytes are: told by how they begin, never by a name. Called where a picture is sent and again where it has arrived.
 * @module
 */

/** The kinds of images that peers show each other. */
export const IMAGE_TYPES = ["png", "jpeg", "gif", "webp"] as const;
export type ImageType = typeof IMAGE_TYPES[number];

/** How a kind begins (`?` stands for any byte), and what its files' names end in. */
const KINDS: Readonly<Record<ImageType, { readonly begins: readonly string[]; readonly endings: readonly string[] }>> =
  {
    png: { begins: ["\x89PNG\r\n\x1a\n????IHDR"], endings: [".png"] },
    jpeg: { begins: ["\xff\xd8\xff"], endings: [".jpg", ".jpeg", ".jpe", ".jfif"] },
    gif: { begins: ["GIF87a", "GIF89a"], endings: [".gif"] },
    webp: { begins: ["RIFF????WEBPVP8"], endings: [".webp"] },
  };

/** The kind of an image, or undefined when it is none that peers show. */
export function imageType(bytes: Uint8Array): ImageType | undefined {
  return IMAGE_TYPES.find((type) => KINDS[type].begins.some((beginning) => beginsWith(bytes, beginning)));
}

/**
 * The name for an image of a kind: one whose ending says something else gets the right one, so that nobody opens a picture called `run.bat` as
 * what it is not.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { imageName } from "./image_type.ts";
 * assertEquals(imageName("Sala 1.JPG", "jpeg"), "Sala 1.JPG");
 * assertEquals(imageName("run.bat", "png"), "run.bat.png");
 * ```
 */
export function imageName(name: string, type: ImageType): string {
  const { endings } = KINDS[type];
  return endings.some((ending) => name.toLowerCase().endsWith(ending)) ? name : name + (endings[0] ?? "");
}

function beginsWith(bytes: Uint8Array, beginning: string): boolean {
  return bytes.length >= beginning.length &&
    [...beginning].every((character, index) => character === "?" || character.charCodeAt(0) === bytes[index]);
}
