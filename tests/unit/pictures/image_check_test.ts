import { assertEquals } from "@std/assert";
import { checkImage } from "../../../lib/pictures/image_check.ts";
import { IMAGE_TYPES } from "../../../lib/core/image_type.ts";
import { IMAGE_PIXELS_MAX } from "../../../lib/core/limits.ts";
import { imageBytes } from "../../support/images.ts";

function latin(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

Deno.test("checkImage() accepts the four types, and refuses an image that is cut off anywhere", () => {
  for (const type of IMAGE_TYPES) {
    const image = imageBytes(type, 700);
    assertEquals(checkImage(image), type);
    for (let end = 0; end < image.length; end++) {
      assertEquals(checkImage(image.subarray(0, end)), undefined, `${type} of ${end} bytes`);
    }
  }
});

Deno.test("checkImage() refuses bytes that only begin like an image", () => {
  const noise = imageBytes("png", 5000).slice(60);
  const beginnings = [
    "",
    "GIF89a",
    "GIF87a\x40\0\x40\0\0\0\0",
    "\x89PNG\r\n\x1a\n",
    "\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "\xff\xd8\xff",
    "\xff\xd8\xff\xe0\0\x10JFIF\0",
    "RIFF\x8c\x13\0\0WEBPVP8 ",
    "RIFF\x10\0\0\0WAVEfmt ",
    "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "%PDF-1.7",
    "MZ\x90\0",
  ];
  for (const beginning of beginnings) {
    assertEquals(checkImage(new Uint8Array([...latin(beginning), ...noise])), undefined, JSON.stringify(beginning));
  }
});

Deno.test("checkImage() refuses a PNG with any damaged byte, and bytes after the end of any image but a JPEG", () => {
  const png = imageBytes("png", 200);
  for (let at = 0; at < png.length; at++) {
    const damaged = png.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    assertEquals(checkImage(damaged), undefined, `byte ${at}`);
  }
  for (const type of IMAGE_TYPES) {
    const longer = new Uint8Array([...imageBytes(type, 700), ...latin("MZ and a program")]);
    // Cameras append previews and clips to a JPEG.
    assertEquals(checkImage(longer), type === "jpeg" ? "jpeg" : undefined, type);
  }
});

Deno.test("checkImage() refuses images of no pixels or of too many", () => {
  const sized = (width: number, height: number): Uint8Array<ArrayBuffer> => {
    const gif = imageBytes("gif", 700);
    const view = new DataView(gif.buffer);
    view.setUint16(6, width, true);
    view.setUint16(8, height, true);
    return gif;
  };
  assertEquals(checkImage(sized(IMAGE_PIXELS_MAX / 2 ** 14, 2 ** 14)), "gif");
  for (const [width, height] of [[0, 9], [9, 0], [65_535, 65_535]] as const) {
    assertEquals(checkImage(sized(width, height)), undefined);
  }
});
