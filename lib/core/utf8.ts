/**
 * How long a text is in UTF-8. On the wire and on disks, bytes are bounded, not characters.
 * @module
 */

const ENCODER = new TextEncoder();

/** How many bytes a text takes in UTF-8. */
export function utf8Bytes(text: string): number {
  return ENCODER.encode(text).length;
}

/**
 * Whether a text takes more than `bytesMax` bytes in UTF-8. A unit of UTF-16 takes at most three,
 * so most texts need not be encoded.
 */
export function isLongerInUtf8(text: string, bytesMax: number): boolean {
  return text.length * 3 > bytesMax && utf8Bytes(text) > bytesMax;
}

/**
 * The longest beginning of a text, cut between characters, that takes at most `bytesMax` bytes in
 * UTF-8.
 */
export function cutToUtf8(text: string, bytesMax: number): string {
  if (!isLongerInUtf8(text, bytesMax)) return text;
  const { read } = ENCODER.encodeInto(text, new Uint8Array(Math.max(0, bytesMax)));
  return text.slice(0, read);
}
