import { assertEquals } from "@std/assert";
import { IMAGE_TYPES, imageName, imageType } from "../../../lib/core/image_type.ts";
import { imageBytes } from "../../support/images.ts";

Deno.test("imageType() knows the four kinds by their first bytes, and no half of them", () => {
  for (const type of IMAGE_TYPES) {
    assertEquals(imageType(imageBytes(type, 64)), type);
    assertEquals(imageType(imageBytes(type, 64).subarray(0, 2)), undefined);
    assertEquals(imageType(imageBytes(type, 64).subarray(1)), undefined);
  }
});

Deno.test("imageType() takes nothing else for an image, whatever it is called", () => {
  const others = [
    "",
    "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "RIFF\x10\0\0\0WAVEfmt ",
    "GIF88a",
    "\x89PNG\r\n\x1a\n\0\0\0\rIDAT",
    "%PDF-1.7",
    "MZ\x90\0",
  ];
  for (const text of others) {
    assertEquals(imageType(Uint8Array.from(text, (character) => character.charCodeAt(0))), undefined, text);
  }
});

Deno.test("imageName() leaves an ending that fits and adds one where it does not", () => {
  const cases: [name: string, type: typeof IMAGE_TYPES[number], named: string][] = [
    ["a.png", "png", "a.png"],
    ["A.JPEG", "jpeg", "A.JPEG"],
    ["a.jpg", "png", "a.jpg.png"],
    ["run.bat", "gif", "run.bat.gif"],
    ["noending", "webp", "noending.webp"],
    [".png", "png", ".png"],
  ];
  for (const [name, type, named] of cases) assertEquals(imageName(name, type), named);
});
