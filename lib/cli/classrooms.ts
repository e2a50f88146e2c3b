/**
 * The five classroom systems that Recess covers, and the commands and flags that cover them. The
 * help of both programs and the README's table are generated from this table.
 * @module
 */

/** One system. */
export interface Classroom {
  readonly letter: string;
  readonly system: string;
  /** How Recess covers it. */
  readonly here: string;
  /** The peer's flags and commands that cover it. */
  readonly peer: readonly string[];
}

/** All of them. */
export const CLASSROOMS: readonly Classroom[] = [
  {
    letter: "A",
    system: "Napster in JSON",
    here: "your own client joins and searches at the index's port, and downloads from a peer with --plain",
    peer: ["--plain", "--consent", "get"],
  },
  {
    letter: "B",
    system: "Napster in words",
    here: "the same in words (JOIN, SEARCH, UPDATE), which can also be typed with nc: try HELP",
    peer: ["--plain", "--consent", "get"],
  },
  {
    letter: "C",
    system: "Rede P2P",
    here: "a manifest lists the shared files; commands print tables",
    peer: ["--manifest", "peers", "ls", "get", "quit"],
  },
  {
    letter: "D",
    system: "file server",
    here: "a peer with an inbox accepts files, within a quota",
    peer: ["--inbox", "--quota", "ls", "get", "put", "rm"],
  },
  {
    letter: "E",
    system: "address service",
    here: "names with an address, registered over HTTP (POST /peers); acknowledged messages; pictures over UDP",
    peer: ["tell", "messages", "show"],
  },
];

/** The systems, a line each, for `--help`. */
export function classroomHelp(): string {
  return CLASSROOMS.map(({ letter, system, here, peer }) => `  ${letter}  ${system}: ${here} (${peer.join(", ")})`)
    .join("\n");
}
