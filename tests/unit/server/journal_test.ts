import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Failure } from "../../../lib/core/failure.ts";
import { isWritten, type JournalEvent, LEVEL_OF, LOG_LEVELS, parseLogLevel } from "../../../lib/server/journal.ts";
import { PROJECT } from "../../support/programs.ts";

const EVENTS: readonly JournalEvent[] = [
  { event: "bug", message: "x", trace: "" },
  { event: "refused", peer: "ana", code: "malformed", message: "x" },
  { event: "left", peer: "ana", why: "said goodbye" },
  { event: "searched", peer: "ana", query: "film", hits: 1 },
];

Deno.test("isWritten() takes the events of a level and of all more serious ones", () => {
  const written = LOG_LEVELS.map((level) => EVENTS.filter((event) => isWritten(event, level)).length);
  assertEquals(written, [1, 2, 3, 4]);
  assertEquals(LOG_LEVELS.map(parseLogLevel), [...LOG_LEVELS]);
  for (const text of ["", "INFO", "verbose", "1"]) assertThrows(() => parseLogLevel(text), Failure, "--log-level");
});

Deno.test("the README of the index server lists every event of the log with its level", async () => {
  const readme = await Deno.readTextFile(`${PROJECT}/lib/server/README.md`);
  for (const [event, level] of Object.entries(LEVEL_OF)) {
    assertMatch(readme, new RegExp(`\\| \`${level}\` +\\| \`${event}\` +\\|`), event);
  }
  assert(readme.includes("`time` (ISO 8601, UTC), `level` and `event`"));
});
