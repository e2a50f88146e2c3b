import { assert, assertEquals } from "@std/assert";
import { isPrintable, printable, printableJson } from "../../../lib/core/printable.ts";

const HOSTILE = [
  "\u001b[2J",
  "\u009b31m",
  "a\nb",
  "a\rb",
  "\u0000",
  "\u007f",
  "exe\u202egpj",
  "\u2066x\u2069",
  "\u2028",
  "\ufeff",
  "\ud800",
  "\ue000",
  "a\u200bb",
  "\u00ad",
];

Deno.test("printable() leaves nothing that a terminal would obey", () => {
  for (const text of HOSTILE) {
    const shown = printable(text);
    assert(!/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u.test(shown), JSON.stringify(shown));
    assert(!isPrintable(text));
    assertEquals(printable(shown), shown);
  }
});

Deno.test("printable() leaves what people write as it is", () => {
  const scripts = ["Aula 1 — ação.mp4", "学习 🎓", "👨‍👩‍👧", "e\u0301", "نامه‌ای", "ကျွန်ုပ်", "שָׁ֣"];
  for (const text of [...scripts, "quotes \" ' \\"]) {
    assertEquals(printable(text), text);
    assert(isPrintable(text));
  }
});

Deno.test("printable() shows at most eight marks on a letter, so that none is drawn over other lines", () => {
  for (const mark of ["\u0301", "\u{1e944}", "\u0301\u200d"]) {
    const shown = printable(`a${mark.repeat(200)}b`);
    assert(!/[\p{M}\u200d]{9}/u.test(shown), JSON.stringify(shown));
    assertEquals(printable(shown), shown);
    assert(!isPrintable(`a${mark.repeat(200)}b`));
  }
});

Deno.test("printableJson() is lossless JSON without control characters", () => {
  for (const text of HOSTILE) {
    const json = printableJson({ text });
    assert(!/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(json), JSON.stringify(json));
    assertEquals(JSON.parse(json), { text });
  }
});
