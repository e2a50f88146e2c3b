/**
 * The kinds of images that peers show each other, and what files of each are called. Which kind some bytes are is decided in image_check.ts.
 * @module
 */

/** The kinds of images that peers show each other. */
export const IMAGE_TYPES = ["png", "jpeg", "gif", "webp"] as const;
export type ImageType = typeof IMAGE_TYPES[number];

/** What names of each kind's files end in. */
const ENDINGS: Readonly<Record<ImageType, readonly [string, ...string[]]>> = {
  png: [".png"],
  jpeg: [".jpg", ".jpeg", ".jpe", ".jfif"],
  gif: [".gif"],
  webp: [".webp"],
};

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
  const endings = ENDINGS[type];
  return endings.some((ending) => name.toLowerCase().endsWith(ending)) ? name : name + endings[0];
}
