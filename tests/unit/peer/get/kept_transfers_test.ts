import { assertEquals } from "@std/assert";
import type { Wanted } from "../../../../lib/peer/find/wanted.ts";
import { KeptTransfers } from "../../../../lib/peer/get/kept_transfers.ts";
import { State } from "../../../../lib/store/state/state.ts";
import { TempFolder } from "../../../support/temp.ts";

const FILM: Wanted = {
  kind: "file",
  name: "film.mp4",
  size: 9,
  root: "a".repeat(64),
  from: "ana",
  peers: [{ name: "ana", id: "1d".repeat(32), host: "10.0.0.5", port: 7, plain: false }],
  others: 0,
};
const FOLDER: Wanted = { kind: "folder", name: "week/", from: undefined };

Deno.test("KeptTransfers returns in another run what was stored, each transfer once", async () => {
  await using temp = await TempFolder.make();
  {
    using state = State.open(temp.at("recess.db"));
    const kept = new KeptTransfers(state);
    assertEquals(kept.put(FILM, { kind: "folder" }), 1);
    assertEquals(kept.put(FOLDER, { kind: "path", path: "/elsewhere" }), 2);
    assertEquals(kept.put(FILM, { kind: "folder" }), 1);
    assertEquals(kept.put(FILM, { kind: "stream", stream: { write: () => Promise.resolve(0) } }), 3);
    kept.setPaused(1, true);
  }
  using state = State.open(temp.at("recess.db"));
  const kept = new KeptTransfers(state);
  assertEquals(kept.all(), [
    { id: 1, wanted: FILM, destination: { kind: "folder" }, paused: true },
    { id: 2, wanted: FOLDER, destination: { kind: "path", path: "/elsewhere" }, paused: false },
  ]);
  kept.remove(1);
  assertEquals(kept.all().map(({ id }) => id), [2]);
  assertEquals(kept.put(FILM, { kind: "folder" }), 3);
});

Deno.test("KeptTransfers skips what another version stored", async () => {
  await using temp = await TempFolder.make();
  using state = State.open(temp.at("recess.db"));
  for (const [id, value] of [[1, "no json"], [2, "{}"], [3, '{"kind":"ship","name":"x"}']] as const) {
    state.putTransfer(id, value);
  }
  assertEquals(new KeptTransfers(state).all(), []);
});
