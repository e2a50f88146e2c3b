/**
 * Pictures on a terminal: which protocol it speaks, and a picture in that protocol. Pure; called by image_query.ts and output.ts.
 *
 * What a terminal is would stand in the environment (`TERM_PROGRAM`), but a peer may not read that and asks for nothing more. So the terminal is
 * asked itself, which also works over SSH. Sources: the kitty graphics protocol (sw.kovidgoyal.net/kitty/graphics-protocol), iTerm2's inline
 * images (iterm2.com/documentation-images.html), XTVERSION in xterm's control sequences.
 * @module
 */

import type { ImageType } from "../../core/image_type.ts";

/** The protocols. */
export const IMAGE_PROTOCOLS = ["kitty", "iterm2"] as const;
export type ImageProtocol = typeof IMAGE_PROTOCOLS[number];

/** What `--images` takes. */
export const IMAGE_CHOICES = ["auto", ...IMAGE_PROTOCOLS, "off"] as const;
export type ImageChoice = typeof IMAGE_CHOICES[number];

/** Asks for the terminal's name and version (XTVERSION), and then for its attributes (DA1): the second is answered by every terminal. */
export const WHO_ARE_YOU = "\x1b[>q\x1b[c";

/** Terminals by the beginning of their name. Those that show no pictures unless told to are not here. */
const SPEAKS: readonly (readonly [name: RegExp, protocol: ImageProtocol])[] = [
  [/^(?:kitty|ghostty)\b/i, "kitty"],
  [/^(?:iterm2|wezterm)\b/i, "iterm2"],
];

/** Base64 that one escape sequence of kitty's protocol holds. */
const KITTY_CHUNK = 4096;
const ESCAPE = "\x1b";
/** The two answers to {@linkcode WHO_ARE_YOU}: what the terminal is called, and what it can do, which every terminal says. */
const NAME_REGEXP = new RegExp(`${ESCAPE}P>\\|([^${ESCAPE}]*)${ESCAPE}\\\\`);
const ATTRIBUTES_REGEXP = new RegExp(`${ESCAPE}\\[\\?[0-9;]*c`);
/** Pictures beyond this are not worth what they cost a terminal. */
const SHOWN_BYTES_MAX = 16 * 1024 * 1024;

/** What a terminal has answered to {@linkcode WHO_ARE_YOU} so far. */
export interface Answered {
  /** Whether the answer has ended. */
  readonly over: boolean;
  readonly protocol: ImageProtocol | undefined;
  /** What was no part of the answer: typed meanwhile. */
  readonly rest: string;
}

/** Reads a terminal's answer. */
export function readAnswer(text: string): Answered {
  const name = NAME_REGEXP.exec(text);
  const attributes = ATTRIBUTES_REGEXP.exec(text);
  const rest = text.replace(name?.[0] ?? "", "").replace(attributes?.[0] ?? "", "");
  const protocol = SPEAKS.find(([begins]) => begins.test(name?.[1] ?? ""))?.[1];
  return { over: attributes !== null, protocol, rest };
}

/** A picture as what makes the terminal show it; undefined where it cannot. Of the picture only base64 gets to the terminal. */
export function inlineImage(
  protocol: ImageProtocol | undefined,
  bytes: Uint8Array,
  type: ImageType,
): string | undefined {
  if (protocol === undefined || bytes.length === 0 || bytes.length > SHOWN_BYTES_MAX) return undefined;
  if (protocol === "iterm2") {
    return `\x1b]1337;File=size=${bytes.length};inline=1;preserveAspectRatio=1:${bytes.toBase64()}\x07`;
  }
  if (type !== "png") return undefined;
  const base64 = bytes.toBase64();
  const chunks: string[] = [];
  for (let start = 0; start < base64.length; start += KITTY_CHUNK) {
    const chunk = base64.slice(start, start + KITTY_CHUNK);
    const more = start + KITTY_CHUNK < base64.length ? 1 : 0;
    // q=2: the terminal says nothing about it, which would be taken for typed.
    chunks.push(`\x1b_G${start === 0 ? "a=T,f=100,q=2," : ""}m=${more};${chunk}\x1b\\`);
  }
  return chunks.join("");
}
