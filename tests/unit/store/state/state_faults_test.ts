import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { Failure } from "../../../../lib/core/failure.ts";
import { State, type StateEvent } from "../../../../lib/store/state/state.ts";
import { SCHEMA_VERSION } from "../../../../lib/store/state/schema.ts";
import { FAULTS, FaultyDatabases } from "../../../support/faulty_database.ts";
import { TempFolder } from "../../../support/temp.ts";
import { eventually } from "../../../support/wait.ts";

const MESSAGE = { peer: "rui", id: "id of rui", at: 5, text: "bom dia" };
const TRANSFER = JSON.stringify({ kind: "file", name: "film.bin" });

/** A state in which everything is remembered that a test asks for afterwards. */
function fill(state: State): void {
  for (let number = 1; number <= 300; number++) {
    state.people.trustPeer(`peer ${number}`, `id ${number}`);
    state.people.allow(`id ${number}`, "download");
    state.talk.putReceived({ ...MESSAGE, number, text: "x".repeat(500) }, true);
  }
  state.putTransfer(7, TRANSFER);
}

function open(path: string): { state: State; events: StateEvent[] } {
  const events: StateEvent[] = [];
  return { state: State.open(path, { onEvent: (event) => events.push(event) }), events };
}

function trustOf(state: State): [known: string | undefined, isAllowed: boolean][] {
  return Array.from(
    { length: 300 },
    (_, index) => [state.people.knownPeer(`peer ${index + 1}`), state.people.isAllowed(`id ${index + 1}`, "download")],
  );
}

const WHOLE_TRUST = Array.from({ length: 300 }, (_, index): [string, boolean] => [`id ${index + 1}`, true]);

function damagedFiles(temp: TempFolder): string[] {
  return Array.from(Deno.readDirSync(temp.path), ({ name }) => name).filter((name) => name.includes(".damaged-"));
}

Deno.test("a state of a newer version, or with a column of another version, is refused and not touched", async () => {
  for (
    const change of [`PRAGMA user_version = ${SCHEMA_VERSION + 1}`, "ALTER TABLE messages RENAME COLUMN text TO words"]
  ) {
    await using temp = await TempFolder.make();
    const path = temp.at("recess.db");
    State.open(path)[Symbol.dispose]();
    const other = new DatabaseSync(path);
    other.exec(change);
    other.close();
    const before = await Deno.readFile(path);
    const failure = assertThrows(() => State.open(path), Failure);
    assertEquals(failure.code, "unsupported");
    assertMatch(failure.message, /version of Recess wrote it/);
    assertEquals(await Deno.readFile(path), before);
    assertEquals(damagedFiles(temp), []);
  }
});

Deno.test("a state without a schema number is brought to the present one, with all that is in it", async () => {
  await using temp = await TempFolder.make();
  const path = temp.at("recess.db");
  const old = new DatabaseSync(path);
  old.exec(`
    CREATE TABLE known_peers (name TEXT PRIMARY KEY, id TEXT NOT NULL) WITHOUT ROWID;
    INSERT INTO known_peers VALUES ('ana', 'id of ana');
  `);
  old.close();
  {
    using state = State.open(path);
    assertEquals(state.people.knownPeer("ana"), "id of ana");
  }
  const now = new DatabaseSync(path);
  assertEquals(now.prepare("PRAGMA user_version").get()?.["user_version"], SCHEMA_VERSION);
  now.close();
});

Deno.test("a state that another program has locked is refused with a sentence until the lock is gone", async () => {
  await using temp = await TempFolder.make();
  const path = temp.at("recess.db");
  {
    using state = State.open(path);
    fill(state);
  }
  const other = new DatabaseSync(path);
  other.exec("BEGIN EXCLUSIVE");
  const failure = assertThrows(() => State.open(path), Failure);
  assertEquals(failure.code, "busy");
  assertMatch(failure.message, /recess\.db": another program has locked it/);
  other.exec("COMMIT");
  other.close();
  const { state, events } = open(path);
  using _state = state;
  assertEquals(trustOf(state), WHOLE_TRUST);
  assertEquals(state.talk.history({ limit: 1000 }).length, 300);
  assertEquals([events, damagedFiles(temp)], [[], []]);
});

/** What may happen to a file on a disk, and how many of the messages have to survive at least. */
const DAMAGES: Record<
  string,
  { damage: (path: string, root: (table: string) => number) => Promise<void>; messages: number }
> = {
  "one page of the messages is bad": {
    damage: (path) => overwrite(path, 20 * 4096),
    messages: 280,
  },
  "the page is bad that holds the known keys": {
    damage: (path, root) => overwrite(path, (root("known_peers") - 1) * 4096),
    messages: 300,
  },
  "it is cut in the middle": {
    damage: async (path) => await Deno.truncate(path, Math.floor((await Deno.stat(path)).size / 2 / 4096) * 4096),
    messages: 0,
  },
  "it is cut to nothing": { damage: (path) => Deno.truncate(path, 0), messages: 0 },
  "it is no database": { damage: (path) => Deno.writeTextFile(path, "no database ".repeat(1000)), messages: 0 },
  "there is a folder in its place": {
    damage: async (path) => {
      await Deno.remove(path);
      await Deno.mkdir(path);
      await Deno.writeTextFile(`${path}/notes.txt`, "of the person");
    },
    messages: 0,
  },
};

async function overwrite(path: string, at: number): Promise<void> {
  using file = await Deno.open(path, { write: true });
  await file.seek(at, Deno.SeekMode.Start);
  await file.write(new Uint8Array(4096).fill(0xa5));
}

for (const [name, { damage, messages }] of Object.entries(DAMAGES)) {
  Deno.test(`a damaged state is moved away, and keys and readable rows survive: ${name}`, async () => {
    await using temp = await TempFolder.make();
    const path = temp.at("recess.db");
    {
      using state = State.open(path);
      fill(state);
    }
    const root = (table: string): number => {
      const database = new DatabaseSync(path);
      const row = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = ?").get(table);
      database.close();
      return Number(row?.["rootpage"]);
    };
    await damage(path, root);
    const isEmpty = (await Deno.stat(path)).size === 0;
    {
      const { state, events } = open(path);
      using _state = state;
      assertEquals(trustOf(state), WHOLE_TRUST);
      assert(
        state.talk.history({ limit: 1000 }).length >= messages,
        String(state.talk.history({ limit: 1000 }).length),
      );
      // An empty file holds nothing to be set aside, but the keys show that it was not always
      // empty.
      assert(
        events.some(({ event }) => event === (isEmpty ? "trust-restored" : "state-damaged")),
        JSON.stringify(events),
      );
      assertEquals(damagedFiles(temp).filter((each) => !/-(wal|journal)$/.test(each)).length, isEmpty ? 0 : 1);
      state.talk.putReceived({ ...MESSAGE, number: 1000 }, true);
    }
    const { state, events } = open(path);
    using _state = state;
    assertEquals(trustOf(state), WHOLE_TRUST);
    assertEquals(state.talk.history({ limit: 1 })[0]?.number, 1000);
    assertEquals(events, []);
  });
}

Deno.test("a read-only state is read, and remembers changes while it is open", async () => {
  await using temp = await TempFolder.make();
  const path = temp.at("recess.db");
  {
    using state = State.open(path);
    fill(state);
  }
  const before = await Deno.readFile(path);
  const events: StateEvent[] = [];
  const openDatabase = (at: string): DatabaseSync => new DatabaseSync(at, { readOnly: at === path });
  using state = State.open(path, { openDatabase, onEvent: (event) => events.push(event) });
  assertEquals(trustOf(state), WHOLE_TRUST);
  state.people.trustPeer("eva", "id of eva");
  state.talk.putReceived({ ...MESSAGE, number: 1000 }, true);
  assertEquals([state.people.knownPeer("eva"), state.talk.history({ limit: 1 })[0]?.number], ["id of eva", 1000]);
  assertEquals(events.map(({ event }) => event), ["state-not-kept"]);
  assertEquals(await Deno.readFile(path), before);
});

for (const fault of Object.keys(FAULTS) as (keyof typeof FAULTS)[]) {
  Deno.test(`a database that fails at any one call (${fault}) loses nothing that was acknowledged`, async () => {
    await using temp = await TempFolder.make();
    let failed = 0;
    let isOver = false;
    for (let at = 1; !isOver; at++) {
      const path = temp.at(`${at}`, "recess.db");
      await Deno.mkdir(temp.at(`${at}`));
      const faulty = new FaultyDatabases(fault);
      const acknowledged: number[] = [];
      {
        using state = State.open(path, { openDatabase: faulty.openDatabase });
        const first = faulty.calls;
        faulty.isFaulty = (call) => call === first + at;
        state.people.trustPeer("ana", "id of ana");
        state.people.allow("id of eva", "download");
        state.putTransfer(7, TRANSFER);
        state.set("name", "rui");
        state.putPieces([{ name: "a", size: 1, modified: 2, root: "ab".repeat(32), digests: new Uint8Array(32) }]);
        for (let number = 1; number <= 3; number++) {
          try {
            state.talk.putReceived({ ...MESSAGE, number }, true);
            acknowledged.push(number);
          } catch (thrown) {
            assert(thrown instanceof Failure, String(thrown));
            failed += 1;
          }
        }
        const waiting = waitingRow(state);
        if (waiting !== undefined) state.talk.setDelivered(waiting, "id of rui");
        assertEquals(nextOf(state), undefined);
        assertEquals(state.digestsOf("a", "ab".repeat(32))?.length ?? 32, 32);
        for (const database of faulty.open) assertEquals(database.isTransaction, false, `call ${at}`);
        isOver = faulty.calls < first + at;
      }
      assertEquals(faulty.open.size, 0);
      using state = State.open(path);
      assertEquals(state.people.knownPeer("ana"), "id of ana", `call ${at}`);
      assertEquals(state.people.isAllowed("id of eva", "download"), true, `call ${at}`);
      assertEquals([state.transfers(), state.setting("name")], [[{ id: 7, value: TRANSFER }], "rui"], `call ${at}`);
      const kept = state.talk.history({ limit: 9 }).filter((each) => each.state === "received");
      assertEquals(kept.map(({ number }) => number), acknowledged, `call ${at}`);
      assertEquals(nextOf(state), undefined, `call ${at}`);
    }
    assert(fault === "corrupt" || failed > 3, `${failed}`);
  });
}

/** Stores a message that waits. Shape: its row; undefined when the database failed, as it says. */
function waitingRow(state: State): number | undefined {
  try {
    return state.talk.putWaiting({ ...MESSAGE, number: 9 });
  } catch (thrown) {
    assert(thrown instanceof Failure, String(thrown));
    return undefined;
  }
}

function nextOf(state: State): unknown {
  try {
    return state.talk.nextWaiting("rui");
  } catch (thrown) {
    assert(thrown instanceof Failure, String(thrown));
    return undefined;
  }
}

Deno.test("a state reports a failing database once, keeps everything in memory, and writes it later", async () => {
  await using temp = await TempFolder.make();
  const path = temp.at("recess.db");
  const faulty = new FaultyDatabases("full");
  const events: StateEvent[] = [];
  {
    using state = State.open(path, { openDatabase: faulty.openDatabase, onEvent: (event) => events.push(event) });
    faulty.isFaulty = () => true;
    for (let number = 1; number <= 50; number++) {
      state.people.trustPeer(`peer ${number}`, `id ${number}`);
      state.set("name", `name ${number}`);
    }
    assertEquals([state.people.knownPeer("peer 50"), state.setting("name")], ["id 50", "name 50"]);
    assertEquals(events.map(({ event }) => event), ["state-unwritten"]);
    assertMatch(JSON.stringify(events), /recess\.db.*its disk is full/);
    faulty.isFaulty = () => false;
    await eventually("it is written", () => events.length > 1);
    assertEquals(events.map(({ event }) => event), ["state-unwritten", "state-written"]);
  }
  using state = State.open(path);
  assertEquals([state.people.knownPeer("peer 50"), state.setting("name")], ["id 50", "name 50"]);
});
