/**
 * The commands that answer questions of consent, and the words a person may answer with.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import { printable } from "../../core/printable.ts";
import type { Consent, Question } from "../../peer/serve/consent.ts";
import { type Command, type CommandContext, joined } from "./command.ts";

/** Words that answer a question. */
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

/** The commands. Without a number, they answer the oldest question. */
export const CONSENT_COMMANDS: readonly Command[] = [
  {
    name: "accept",
    args: "[N]",
    about: "allow question N, or the oldest one; also: yes, y, sim, s",
    flags: { always: { about: "also allow this peer all of the same kind from now on; also: always" } },
    completes: [],
    needs: "peer",
    count: { min: 0, max: 1 },
    run: (context, args, flags) =>
      answer(context, args, (consent, number) => consent.accept(number, { always: flags["always"] === true })),
  },
  {
    name: "refuse",
    args: "[N]",
    about: "refuse question N, or the oldest one; also: no, n, nao",
    flags: {},
    completes: [],
    needs: "peer",
    count: { min: 0, max: 1 },
    run: (context, args) => answer(context, args, (consent, number) => consent.refuse(number)),
  },
];

/** What was typed, with an answer in one word written as its command. */
export function answerInWords(words: readonly string[]): readonly string[] {
  const [word = "", ...rest] = words;
  const command = Object.hasOwn(ANSWERS, word.toLowerCase()) ? ANSWERS[word.toLowerCase()] : undefined;
  if (command === undefined) return words;
  return command === "always" ? ["accept", "--always", ...rest] : [command, ...rest];
}

function answer(
  { peer }: CommandContext,
  [text]: readonly string[],
  act: (consent: Consent, number: number) => Question,
): Promise<void> {
  const { consent } = joined(peer);
  if (text !== undefined && !/^\d{1,9}$/.test(text)) {
    throw new Failure("usage", `Cannot use "${printable(text)}" as the number of a question`, { hint: "" });
  }
  const number = text === undefined ? consent.questions()[0]?.number : Number(text);
  if (number === undefined) throw new Failure("not-found", "There is no open question", { hint: "" });
  // What follows is told as an event, as when nobody answers.
  act(consent, number);
  return Promise.resolve();
}
