/**
 * The commands that answer requests for consent, and the words a person may answer with.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import { printable } from "../../core/printable.ts";
import type { Consent, Question } from "../../peer/serve/consent.ts";
import { type Command, peerCommand, type PeerContext } from "./command.ts";

/** Words that answer a request. */
const ANSWERS: Readonly<Record<string, string>> = {
  yes: "accept",
  y: "accept",
  sim: "accept",
  s: "accept",
  no: "refuse",
  n: "refuse",
  nao: "refuse",
  "não": "refuse",
  always: "always",
};

/** The commands. Without a number, they answer the oldest request. */
export const CONSENT_COMMANDS: readonly Command[] = [
  peerCommand({
    name: "accept",
    args: [{ name: "N", takes: "optional" }],
    about: "allow request N, or the oldest one; also: yes, y, sim, s",
    flags: { always: { about: "also allow this peer all requests of the same kind from now on; also: always" } },
    run: (context, [text], { always }) => {
      return answer(context, text, (consent, number) => consent.accept(number, { always }));
    },
  }),
  peerCommand({
    name: "refuse",
    args: [{ name: "N", takes: "optional" }],
    about: "refuse request N, or the oldest one; also: no, n, nao",
    flags: {},
    run: (context, [text]) => answer(context, text, (consent, number) => consent.refuse(number)),
  }),
];

/** Replaces an answer in one word, such as "sim", by its command. */
export function answerInWords(words: readonly string[]): readonly string[] {
  const [word = "", ...rest] = words;
  const command = Object.hasOwn(ANSWERS, word.toLowerCase()) ? ANSWERS[word.toLowerCase()] : undefined;
  if (command === undefined) return words;
  return command === "always" ? ["accept", "--always", ...rest] : [command, ...rest];
}

function answer(
  { peer: { consent } }: PeerContext,
  text: string | undefined,
  act: (consent: Consent, number: number) => Question,
): Promise<void> {
  if (text !== undefined && !/^\d{1,9}$/.test(text)) {
    throw new Failure("usage", `Cannot use "${printable(text)}" as the number of a request`, { hint: "" });
  }
  const number = text === undefined ? consent.questions()[0]?.number : Number(text);
  if (number === undefined) throw new Failure("not-found", "There are no pending requests", { hint: "" });
  // The answer is reported as an event, as it is when a request expires.
  act(consent, number);
  return Promise.resolve();
}
