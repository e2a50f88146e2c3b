import { assertEquals } from "@std/assert";
import { cutToUtf8, isLongerInUtf8, utf8Bytes } from "../../../lib/core/utf8.ts";

const TEXTS = ["", "a", "aula", "ação", "学校", "🎓🎓", "a🎓é学"];

Deno.test("isLongerInUtf8() agrees with utf8Bytes() at every bound", () => {
  for (const text of TEXTS) {
    for (let bytesMax = 0; bytesMax < 20; bytesMax++) {
      assertEquals(isLongerInUtf8(text, bytesMax), utf8Bytes(text) > bytesMax, `${text} ${bytesMax}`);
    }
  }
});

Deno.test("cutToUtf8() keeps as many whole characters as fit", () => {
  for (const text of TEXTS) {
    for (let bytesMax = 0; bytesMax < 20; bytesMax++) {
      const characters = [...text];
      while (utf8Bytes(characters.join("")) > bytesMax) characters.pop();
      assertEquals(cutToUtf8(text, bytesMax), characters.join(""), `${text} ${bytesMax}`);
    }
  }
});
