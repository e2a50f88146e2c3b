/**
 * The five classroom systems that Recess covers, and with which commands and flags. The help of both programs and README's table are made of
 * it; a test holds all three together.
 * @module
 */

/** One system. */
export interface Classroom {
  readonly letter: string;
  readonly system: string;
  /** What its users find here. */
  readonly here: string;
  /** What of it the peer's help lists: flags and commands. */
  readonly peer: readonly string[];
}

/** All of them, as PRODUCT.md lists them. */
export const CLASSROOMS: readonly Classroom[] = [
  {
    letter: "A",
    system: "Napster in JSON",
    here:
      "your own client joins and searches at the index's port; a --plain peer serves its downloads and may ask first",
    peer: ["--plain", "--consent", "get"],
  },
  {
    letter: "B",
    system: "Napster in words",
    here: "the same in words (JOIN, SEARCH, UPDATE), also typed with nc: try HELP",
    peer: ["--plain", "--consent", "get"],
  },
  {
    letter: "C",
    system: "Rede P2P",
    here: "a manifest says what is shared; tables for the rest",
    peer: ["--manifest", "peers", "ls", "get", "quit"],
  },
  {
    letter: "D",
    system: "file server",
    here: "a peer with an inbox takes files, within a quota",
    peer: ["--inbox", "--quota", "ls", "get", "put", "rm"],
  },
  {
    letter: "E",
    system: "address service",
    here:
      "names with an address, registered over HTTP (POST /peers); messages that are acknowledged, pictures over UDP",
    peer: ["tell", "messages", "show"],
  },
];

/** The systems, a line each, for `--help`. */
export function classroomHelp(): string {
  return CLASSROOMS.map(({ letter, system, here, peer }) => `  ${letter}  ${system}: ${here} (${peer.join(", ")})`)
    .join("\n");
}
