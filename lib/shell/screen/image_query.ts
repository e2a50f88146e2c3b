/**
 * Finds out which pictures the terminal can show, by asking it before the shell begins. Called by shell.ts.
 * @module
 */

import { type ImageChoice, type ImageProtocol, readAnswer, WHO_ARE_YOU } from "./inline_image.ts";

/** A terminal's two ends: `process.stdin` and `process.stdout`, as far as they are needed. */
export interface TerminalEnds {
  readonly input: {
    setRawMode(raw: boolean): unknown;
    on(event: "data", take: (data: Uint8Array | string) => void): unknown;
    off(event: "data", take: (data: Uint8Array | string) => void): unknown;
    pause(): unknown;
    unshift(data: Uint8Array): unknown;
  };
  readonly output: { write(text: string): unknown };
}

/** How long a terminal that answers nothing is waited for; all that we know answer, over SSH within the time there and back. */
const ANSWER_WAIT_MS = 400;

/** The protocol to show pictures with: the one a person chose, or the one that the terminal says it speaks. What is typed meanwhile is kept. */
export async function imageProtocol(choice: ImageChoice, ends: TerminalEnds): Promise<ImageProtocol | undefined> {
  if (choice !== "auto") return choice === "off" ? undefined : choice;
  const { input, output } = ends;
  const decoder = new TextDecoder();
  const answered = Promise.withResolvers<void>();
  let text = "";
  const take = (data: Uint8Array | string): void => {
    text += typeof data === "string" ? data : decoder.decode(data, { stream: true });
    if (readAnswer(text).over) answered.resolve();
  };
  const timer = setTimeout(() => answered.resolve(), ANSWER_WAIT_MS);
  // Without it, the answer would be echoed onto the screen.
  input.setRawMode(true);
  input.on("data", take);
  try {
    output.write(WHO_ARE_YOU);
    await answered.promise;
  } finally {
    clearTimeout(timer);
    input.off("data", take);
    input.pause();
    input.setRawMode(false);
  }
  const { protocol, rest } = readAnswer(text);
  if (rest !== "") input.unshift(new TextEncoder().encode(rest));
  return protocol;
}
