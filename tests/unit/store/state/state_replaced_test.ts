/**
 * What a peer remembers, when another program does away with its database while the peer runs.
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { describeEvent } from "../../../../lib/shell/screen/events.ts";
import { State, type StateEvent } from "../../../../lib/store/state/state.ts";
import { TempFolder } from "../../../support/temp.ts";

const MESSAGE = { peer: "rui", id: "id of rui", at: 5, text: "x".repeat(500) };

/** Stores messages with these numbers. */
function putMessages(state: State, first: number, last: number): void {
  for (let number = first; number <= last; number++) state.talk.putReceived({ ...MESSAGE, number }, true);
}

/** What is done to a database that is open. */
const DEEDS: Record<string, (path: string) => Promise<void>> = {
  "deleted": (path) => Deno.remove(path),
  "deleted with the file beside it": async (path) => {
    await Deno.remove(path);
    await Deno.remove(`${path}-wal`);
  },
  "left without the file beside it": (path) => Deno.remove(`${path}-wal`),
  "replaced by another file": async (path) => {
    await Deno.writeTextFile(`${path}.new`, "no database ".repeat(10_000));
    await Deno.rename(`${path}.new`, path);
  },
  "moved elsewhere": (path) => Deno.rename(path, `${path}.moved`),
};

for (const [what, act] of Object.entries(DEEDS)) {
  Deno.test(`a state whose database is ${what} while it is open loses nothing, and says so once`, async () => {
    await using temp = await TempFolder.make();
    const path = temp.at("recess.db");
    const events: StateEvent[] = [];
    {
      using state = State.open(path, { onEvent: (event) => events.push(event) });
      putMessages(state, 1, 3_000);
      state.people.trustPeer("ana", "id of ana");
      await act(path);
      putMessages(state, 3_001, 3_010);
      state.people.allow("id of ana", "download");
      assertEquals(state.talk.history({ limit: 5_000 }).length, 3_010);
    }
    assertEquals(events.map(({ event }) => event), ["state-replaced"]);
    assertMatch(events.map(describeEvent).join(), /recess\.db" while it was in use; it was written again \(nothing is/);
    const names = await Array.fromAsync(Deno.readDir(temp.path), ({ name }) => name);
    const others = names.filter((name) => /^recess\.db\.other-[^.]+(?<!-wal)$/.test(name));
    assertEquals(others.length, what === "replaced by another file" ? 1 : 0);
    const later: StateEvent[] = [];
    using state = State.open(path, { onEvent: (event) => later.push(event) });
    assertEquals(state.talk.history({ limit: 5_000 }).map(({ number }) => number).at(-1), 3_010);
    assertEquals(state.talk.history({ limit: 5_000 }).length, 3_010);
    assertEquals([state.people.knownPeer("ana"), state.people.isAllowed("id of ana", "download")], ["id of ana", true]);
    assertEquals(later, []);
  });
}

for (const part of [0, 0.5]) {
  Deno.test(`an open database that is cut to ${part} of its size reports the loss, and keeps later rows`, async () => {
    await using temp = await TempFolder.make();
    const path = temp.at("recess.db");
    const events: StateEvent[] = [];
    {
      using state = State.open(path, { onEvent: (event) => events.push(event) });
      putMessages(state, 1, 3_000);
      state.people.trustPeer("ana", "id of ana");
    }
    {
      using state = State.open(path, { onEvent: (event) => events.push(event) });
      await Deno.truncate(path, Math.floor((await Deno.stat(path)).size * part));
      putMessages(state, 3_001, 3_010);
      state.people.allow("id of ana", "download");
    }
    assertEquals(events.map((event) => [event.event, "lost" in event && event.lost.includes("messages")]), [
      ["state-replaced", true],
    ]);
    const later: StateEvent[] = [];
    using state = State.open(path, { onEvent: (event) => later.push(event) });
    const numbers = state.talk.history({ limit: 5_000 }).map(({ number }) => number);
    assertEquals(numbers.slice(-10), Array.from({ length: 10 }, (_, at) => 3_001 + at));
    assertEquals([state.people.knownPeer("ana"), state.people.isAllowed("id of ana", "download")], ["id of ana", true]);
    assertEquals(later, []);
  });
}
