/**
 * The kinds of images that peers show each other, and the names of their files.
 * lib/pictures/image_check.ts decides which kind some bytes are.
 * @module
 */

/** The kinds of images that peers show each other. */
export const IMAGE_TYPES = ["png", "jpeg", "gif", "webp"] as const;
export type ImageType = typeof IMAGE_TYPES[number];

/** The endings of file names of each kind. */
const ENDINGS: Readonly<Record<ImageType, readonly [string, ...string[]]>> = {
  png: [".png"],
  jpeg: [".jpg", ".jpeg", ".jpe", ".jfif"],
  gif: [".gif"],
  webp: [".webp"],
};

/**
 * The file name for an image of a kind. A name with another ending gets the right one, so that a
 * picture called `run.bat` opens as a picture.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { imageName } from "./image_type.ts";
 * assertEquals(imageName("Sala 1.JPG", "jpeg"), "Sala 1.JPG");
 * assertEquals(imageName("run.bat", "png"), "run.bat.png");
 * ```
 */
export function imageName(name: string, type: ImageType): string {
  const endings = ENDINGS[type];
  return endings.some((ending) => name.toLowerCase().endsWith(ending)) ? name : name + endings[0];
}
