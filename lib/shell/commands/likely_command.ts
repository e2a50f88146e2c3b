/**
 * Guesses which command a person meant by a word that is not a command. Pure. Called by
 * commands.ts.
 * @module
 */

/** Words of other programs, and the commands that do the same here. */
const SAME_ELSEWHERE: Readonly<Record<string, string>> = {
  "?": "help",
  delete: "rm",
  dir: "ls",
  dl: "get",
  download: "get",
  downloads: "transfers",
  fetch: "get",
  find: "search",
  list: "ls",
  msg: "tell",
  send: "put",
  upload: "put",
  users: "peers",
  who: "peers",
};

/** How many letters of a long word may be wrong. In a short word, one may be. */
const WRONG_MAX = 2;
const LONG_WORD = 5;

/** Finds the command that `word` probably means; undefined when no command is similar. */
export function likelyCommand(word: string, commands: readonly string[]): string | undefined {
  const typed = word.toLowerCase();
  const elsewhere = Object.hasOwn(SAME_ELSEWHERE, typed) ? SAME_ELSEWHERE[typed] : undefined;
  if (elsewhere !== undefined) return elsewhere;
  const wrongMax = typed.length < LONG_WORD ? 1 : WRONG_MAX;
  const [best] = commands
    .map((name) => ({ name, wrong: lettersWrong(typed, name) }))
    .filter(({ wrong, name }) => wrong <= wrongMax && wrong < name.length)
    .toSorted((a, b) => a.wrong - b.wrong);
  if (best !== undefined) return best.name;
  const begun = typed.length < 2 ? [] : commands.filter((name) => name.startsWith(typed));
  return begun.length === 1 ? begun[0] : undefined;
}

/**
 * Counts the letters of `typed` that are missing, superfluous, wrong, or swapped with the next one,
 * compared with `meant`. This is the distance of Damerau and Levenshtein in which no letter is
 * changed twice.
 */
function lettersWrong(typed: string, meant: string): number {
  let before: number[] = [];
  let row = Array.from({ length: meant.length + 1 }, (_, length) => length);
  for (let end = 1; end <= typed.length; end++) {
    const next = [end];
    for (let meantEnd = 1; meantEnd <= meant.length; meantEnd++) {
      const at = (from: number[], index: number): number => from[index] ?? Infinity;
      const isSame = typed[end - 1] === meant[meantEnd - 1];
      const isSwapped = end > 1 && typed[end - 1] === meant[meantEnd - 2] && typed[end - 2] === meant[meantEnd - 1];
      next.push(Math.min(
        at(row, meantEnd) + 1,
        at(next, meantEnd - 1) + 1,
        at(row, meantEnd - 1) + (isSame ? 0 : 1),
        isSwapped ? at(before, meantEnd - 2) + 1 : Infinity,
      ));
    }
    before = row;
    row = next;
  }
  return row[meant.length] ?? Infinity;
}
