/**
 * The identity of people by name and key: as a pure decision, and after an index has forgotten
 * which key has which name.
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { fingerprint } from "../../../../lib/core/fingerprint.ts";
import { judgeKey, type KeyStanding, namedWithKey } from "../../../../lib/peer/find/who.ts";
import { describeEvent } from "../../../../lib/shell/screen/events.ts";
import { imageFile } from "../../../support/images.ts";
import { Room } from "../../../support/room.ts";
import { failing, OPEN, put, tree } from "../../../support/senders.ts";
import { eventually } from "../../../support/wait.ts";

Deno.test("judgeKey() recognises a key, and reports another key under a known name as changed", () => {
  const ana = { id: "a1", name: "ana", isSure: true };
  const cases: [who: typeof ana, first: string | undefined, told: string | undefined, standing: KeyStanding][] = [
    [ana, undefined, undefined, "new"],
    [ana, "a1", undefined, "known"],
    [ana, "b2", undefined, "changed"],
    [ana, "b2", "ana", "changed"],
    [ana, undefined, "Ana", "known"],
    [ana, undefined, "eva", "new"],
    [{ ...ana, isSure: false }, "a1", "ana", "new"],
  ];
  for (const [who, first, told, standing] of cases) assertEquals(judgeKey(who, first, told), standing);
  const id = "3f9a11c28b0d77e1".padEnd(64, "0");
  assertEquals(namedWithKey("ana", { id, key: "known" }), "ana");
  assertEquals(namedWithKey("ana", { id, key: "new" }), "ana (3f9a-11c2-8b0d-77e1)");
  assertEquals(namedWithKey("ana", { id, key: "changed" }), "ana (3f9a-11c2-8b0d-77e1, another key than before)");
});

Deno.test("a peer marks everything from another key under a known name after the index was restarted", async () => {
  await using room = await Room.open();
  const rui = await room.peer("rui", undefined, { inbox: OPEN });
  const ana = await room.peer("ana");
  const files = await room.folder();
  const [one, two] = [await files.file("one.bin", 1000), await files.file("two.bin", 2000)];
  assertEquals((await put(ana, one, "rui")).path, "inbox/ana/one.bin");
  await ana.peer[Symbol.asyncDispose]();
  await room.stopIndex();
  await room.startIndex();
  await eventually("rui is back", async () => (await room.index.peer("rui")) !== undefined);
  const other = await room.peer("ana");
  const folder = `inbox/ana (${fingerprint(other.peer.id)})`;
  assertEquals((await put(other, two, "rui")).path, `${folder}/two.bin`);
  await other.peer.pictures.show("rui", await imageFile(files, "a.png", "png", 5000));
  await other.peer.outbox.tell("rui", "it is me");
  await other.peer.outbox.tell("rui", "really");
  assertEquals(await tree(rui.folder), ["inbox/ana/one.bin", `${folder}/a.png`, `${folder}/two.bin`].sort());
  const told = rui.events.map(describeEvent).filter((line) => line.includes("ana"));
  assertEquals(told.length, 5);
  assertMatch(told[0] ?? "", /^ana (\([0-9a-f-]{19}\) )?put /);
  for (const line of told.slice(1)) {
    assert(line.startsWith(`ana (${fingerprint(other.peer.id)}, another key than before)`), line);
  }
  // In the other direction, the same key is refused until a person trusts it.
  assertEquals((await failing(() => rui.peer.directory.list("ana"))).code, "key-changed");
  await rui.peer.contacts.trust("ana");
  await rui.peer.directory.list("ana");
  assertEquals((await put(other, await files.file("three.bin", 3000), "rui")).path, `${folder}/three.bin`);
});

Deno.test("a consent request shows that the key under a name has changed", async () => {
  await using room = await Room.open();
  const rui = await room.peer("rui", undefined, { consent: "ask" });
  const ana = await room.peer("ana");
  const film = await ana.folder.file("film.bin", 1000);
  await eventually("ana lists it", async () => (await room.index.copy("ana", "film.bin"))?.root);
  await rui.peer.directory.list("ana");
  await ana.peer[Symbol.asyncDispose]();
  await room.stopIndex();
  await room.startIndex();
  await eventually("rui is back", async () => (await room.index.peer("rui")) !== undefined);
  const other = await room.peer("ana");
  const asking = failing(() => other.peer.pictures.show("rui", film.replace("film.bin", "a.png")));
  await imageFile(ana.folder, "a.png", "png", 5000);
  await asking;
  const showing = failing(() => other.peer.pictures.show("rui", ana.folder.at("a.png")));
  const question = await eventually("a question", () => rui.peer.consent.questions()[0]);
  assertEquals([question.peer, question.key], ["ana", "changed"]);
  assertMatch(rui.events.map(describeEvent).at(-1) ?? "", /: ana \([0-9a-f-]{19}, another key than before\) wants to/);
  rui.peer.consent.refuse(question.number);
  await showing;
});
