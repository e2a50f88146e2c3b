/**
 * Finds out which pictures the terminal can show, by asking it before the shell starts. Called by
 * shell.ts.
 * @module
 */

import { type ImageChoice, type ImageProtocol, readAnswer, TERMINAL_QUERY } from "./inline_image.ts";

/** The parts of `process.stdin` and `process.stdout` that are needed here. */
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

/**
 * How long to wait for a terminal's answer. All known terminals answer, over SSH within one round
 * trip.
 */
const ANSWER_WAIT_MS = 400;

/**
 * Chooses the protocol for pictures: the one that a person chose, or else the one that the terminal
 * reports. Keeps what is typed meanwhile.
 */
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
  // Without raw mode, the answer would be echoed onto the screen.
  input.setRawMode(true);
  input.on("data", take);
  try {
    output.write(TERMINAL_QUERY);
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
