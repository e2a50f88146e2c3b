import { assertEquals } from "@std/assert";
import { type IMAGE_TYPES, imageName } from "../../../lib/core/image_type.ts";

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
