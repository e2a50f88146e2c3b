import { assert, assertEquals, assertMatch } from "@std/assert";
import { imageProtocol, type TerminalEnds } from "../../../../lib/shell/screen/image_query.ts";
import {
  IMAGE_PROTOCOLS,
  type ImageProtocol,
  inlineImage,
  readAnswer,
  TERMINAL_QUERY,
} from "../../../../lib/shell/screen/inline_image.ts";
import { imageBytes } from "../../../support/images.ts";

/** Escape and bell, which the sequences are made with. */
const [ESC, BEL] = ["\x1b", "\x07"];
const ATTRIBUTES = "\x1b[?62;4;6c";

Deno.test("readAnswer() recognises terminals that show pictures, and the end of the answer", () => {
  const cases: [text: string, over: boolean, protocol: ImageProtocol | undefined, rest: string][] = [
    ["", false, undefined, ""],
    ["\x1bP>|kitty(0.35.1)\x1b\\", false, "kitty", ""],
    [`\x1bP>|kitty(0.35.1)\x1b\\${ATTRIBUTES}`, true, "kitty", ""],
    [`\x1bP>|ghostty 1.0.1\x1b\\${ATTRIBUTES}`, true, "kitty", ""],
    [`\x1bP>|iTerm2 3.5.0\x1b\\${ATTRIBUTES}`, true, "iterm2", ""],
    [`\x1bP>|WezTerm 20240203\x1b\\${ATTRIBUTES}`, true, "iterm2", ""],
    [`\x1bP>|tmux 3.4\x1b\\${ATTRIBUTES}`, true, undefined, ""],
    [`\x1bP>|not kitty\x1b\\${ATTRIBUTES}`, true, undefined, ""],
    [ATTRIBUTES, true, undefined, ""],
    [`pe${ATTRIBUTES}ers\r`, true, undefined, "peers\r"],
  ];
  for (const [text, over, protocol, rest] of cases) {
    assertEquals(readAnswer(text), { over, protocol, rest }, JSON.stringify(text));
  }
});

Deno.test("inlineImage() sends a picture to the terminal only as base64", () => {
  const bytes = imageBytes("png", 10_000);
  const iterm2 = inlineImage("iterm2", bytes, "png") ?? "";
  const [, size, base64 = ""] =
    new RegExp(`^${ESC}\\]1337;File=size=(\\d+);inline=1;preserveAspectRatio=1:([A-Za-z0-9+/=]+)${BEL}$`).exec(
      iterm2,
    ) ??
      [];
  assertEquals(Number(size), bytes.length);
  assertEquals(Uint8Array.fromBase64(base64), bytes);

  const kitty = inlineImage("kitty", bytes, "png") ?? "";
  assertMatch(kitty, new RegExp(`^(?:${ESC}_G[a-zA-Z0-9=,]+;[A-Za-z0-9+/=]{1,4096}${ESC}\\\\)+$`));
  const chunks = [...kitty.matchAll(new RegExp(`${ESC}_G([^;]+);([^${ESC}]+)${ESC}\\\\`, "g"))];
  assertEquals(chunks.map(([, keys]) => keys), ["a=T,f=100,q=2,m=1", "m=1", "m=1", "m=0"]);
  assertEquals(Uint8Array.fromBase64(chunks.map(([, , chunk]) => chunk).join("")), bytes);
});

Deno.test("inlineImage() shows only pictures that the protocol supports", () => {
  for (const type of ["jpeg", "gif", "webp"] as const) {
    assertEquals(inlineImage("kitty", imageBytes(type, 100), type), undefined);
    assert(inlineImage("iterm2", imageBytes(type, 100), type) !== undefined);
  }
  assertEquals(inlineImage(undefined, imageBytes("png", 100), "png"), undefined);
  for (const protocol of IMAGE_PROTOCOLS) assertEquals(inlineImage(protocol, new Uint8Array(0), "png"), undefined);
});

/** A terminal that answers in its own way, and what was done to it. */
function fakeTerminal(answers: readonly string[]): TerminalEnds & { readonly done: string[] } {
  const done: string[] = [];
  let take: (data: Uint8Array | string) => void = () => {};
  return {
    done,
    input: {
      setRawMode: (raw) => done.push(`raw ${raw}`),
      on: (_, given) => take = given,
      off: () => take = () => {},
      pause: () => done.push("paused"),
      unshift: (data) => done.push(`kept ${new TextDecoder().decode(data)}`),
    },
    output: {
      write(text) {
        assertEquals(text, TERMINAL_QUERY);
        for (const answer of answers) queueMicrotask(() => take(new TextEncoder().encode(answer)));
      },
    },
  };
}

Deno.test("imageProtocol() asks a terminal once, keeps typed text, and gives up on a silent terminal", async () => {
  const slow = fakeTerminal([..."a\x1bP>|kitty(0.3)\x1b\\", ...ATTRIBUTES]);
  assertEquals(await imageProtocol("auto", slow), "kitty");
  assertEquals(slow.done, ["raw true", "paused", "raw false", "kept a"]);
  const silent = fakeTerminal([]);
  assertEquals(await imageProtocol("auto", silent), undefined);
  assertEquals(silent.done, ["raw true", "paused", "raw false"]);
  const unasked = fakeTerminal([]);
  assertEquals([await imageProtocol("iterm2", unasked), await imageProtocol("off", unasked)], ["iterm2", undefined]);
  assertEquals(unasked.done, []);
});
