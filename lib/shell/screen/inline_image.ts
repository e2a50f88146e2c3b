/**
 * Pictures on a terminal: which protocol the terminal speaks, and a picture in that protocol. Pure.
 * Called by image_query.ts and output.ts.
 *
 * The terminal's type is in the environment (`TERM_PROGRAM`), which a peer has no permission to
 * read. So the terminal itself is asked, which also works over SSH. Sources: the kitty graphics
 * protocol (sw.kovidgoyal.net/kitty/graphics-protocol), iTerm2's inline images
 * (iterm2.com/documentation-images.html), and XTVERSION in xterm's control sequences.
 * @module
 */

import type { ImageType } from "../../core/image_type.ts";

/** The protocols. */
export const IMAGE_PROTOCOLS = ["kitty", "iterm2"] as const;
export type ImageProtocol = typeof IMAGE_PROTOCOLS[number];

/** The values of `--images`. */
export const IMAGE_CHOICES = ["auto", ...IMAGE_PROTOCOLS, "off"] as const;
export type ImageChoice = typeof IMAGE_CHOICES[number];

/**
 * Asks for the terminal's name and version (XTVERSION), and then for its attributes (DA1), which
 * every terminal answers.
 */
export const TERMINAL_QUERY = "\x1b[>q\x1b[c";

/**
 * Terminals by the beginning of their name. Terminals that show pictures only after being
 * configured are not listed.
 */
const SPEAKS: readonly (readonly [name: RegExp, protocol: ImageProtocol])[] = [
  [/^(?:kitty|ghostty)\b/i, "kitty"],
  [/^(?:iterm2|wezterm)\b/i, "iterm2"],
];

/** How many characters of base64 one escape sequence of kitty's protocol carries. */
const KITTY_CHUNK = 4096;
const ESCAPE = "\x1b";
/** The two answers to {@linkcode TERMINAL_QUERY}: the terminal's name, and its attributes. */
const NAME_REGEXP = new RegExp(`${ESCAPE}P>\\|([^${ESCAPE}]*)${ESCAPE}\\\\`);
const ATTRIBUTES_REGEXP = new RegExp(`${ESCAPE}\\[\\?[0-9;]*c`);
/** Larger pictures would occupy a terminal for too long. */
const SHOWN_BYTES_MAX = 16 * 1024 * 1024;

/** The part of the answer to {@linkcode TERMINAL_QUERY} that has arrived. */
export interface Answered {
  /** Whether the answer is complete. */
  readonly over: boolean;
  readonly protocol: ImageProtocol | undefined;
  /** Text that is not part of the answer: it was typed meanwhile. */
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

/**
 * Encodes a picture for the terminal. The terminal receives its bytes only as base64.
 *
 * @returns Terminal codes; undefined when the terminal cannot show the picture.
 */
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
    // q=2: the terminal sends no answer, which would look like typed text.
    chunks.push(`\x1b_G${start === 0 ? "a=T,f=100,q=2," : ""}m=${more};${chunk}\x1b\\`);
  }
  return chunks.join("");
}
