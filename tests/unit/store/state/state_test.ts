import { assertEquals } from "@std/assert";
import { State } from "../../../../lib/store/state/state.ts";
import { TempFolder } from "../../../support/temp.ts";

const FILE = { name: "a", size: 5, modified: 6, root: "ab".repeat(32), digests: new Uint8Array(32).fill(7) };

Deno.test("State keeps pieces and settings from one run to the next", async () => {
  await using temp = await TempFolder.make();
  {
    using state = State.open(temp.at("recess.db"));
    state.putPieces([FILE, { ...FILE, name: "b" }]);
    state.set("name", "ana");
    state.set("name", "rui");
  }
  using state = State.open(temp.at("recess.db"));
  assertEquals([state.setting("name"), state.setting("other")], ["rui", undefined]);
  const { digests, ...known } = FILE;
  const hashed = { ...known, changed: undefined };
  assertEquals([...state.hashedFiles()], [hashed, { ...hashed, name: "b" }]);
  assertEquals(state.digestsOf("a", FILE.root), digests);
  assertEquals(state.digestsOf("a", "cd".repeat(32)), undefined);
  state.forgetPieces(["a"]);
  assertEquals([...state.hashedFiles()].length, 1);
});

Deno.test("State remembers which peer put which file into the inbox", async () => {
  await using temp = await TempFolder.make();
  const file = { number: 3, sender: "a", root: "b", size: 2 ** 40, name: "inbox/ana/a.bin", modified: undefined };
  {
    using state = State.open(temp.at("recess.db"));
    for (const number of [7, 3, 5]) state.putReceived({ ...file, number });
    state.putReceived({ ...file, number: 5, modified: 1_795_000_000_000 });
    state.dropReceived(7);
  }
  using state = State.open(temp.at("recess.db"));
  assertEquals(state.receivedFiles(), [file, { ...file, number: 5, modified: 1_795_000_000_000 }]);
});
