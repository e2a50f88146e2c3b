/**
 * The folder for unfinished files, when another program removes or replaces it while its peer runs.
 * @module
 */

import { assertEquals } from "@std/assert";
import { Room } from "../../../support/room.ts";
import { failing, OPEN, put } from "../../../support/senders.ts";

Deno.test(
  "a peer makes its folder for unfinished files again, and refuses a link or a file in its place",
  async () => {
    await using room = await Room.open();
    const ana = await room.peer("ana", undefined, { inbox: OPEN });
    const bob = await room.peer("bob");
    const names = ["one.bin", "two.bin", "three.bin", "four.bin"];
    for (const [at, name] of names.entries()) await bob.folder.file(name, 2_000_000 + at);
    await room.hashed("bob", "four.bin");
    const incoming = ana.folder.at(".recess/incoming");

    await Deno.remove(incoming, { recursive: true });
    await put(bob, bob.folder.at("one.bin"));
    await Deno.remove(incoming, { recursive: true });
    const wanted = await ana.peer.directory.resolve("four.bin");
    await ana.peer.transfers.start(wanted, { kind: "folder" }).result;

    await Deno.remove(incoming, { recursive: true });
    const elsewhere = await ana.folder.folder(".elsewhere");
    await Deno.symlink(elsewhere, incoming);
    assertEquals((await failing(() => put(bob, bob.folder.at("two.bin")))).code, "no-access");
    assertEquals(Array.from(Deno.readDirSync(elsewhere)), []);

    await Deno.remove(incoming);
    await Deno.writeTextFile(incoming, "");
    assertEquals((await failing(() => put(bob, bob.folder.at("two.bin")))).code, "no-access");

    await Deno.remove(incoming);
    await put(bob, bob.folder.at("three.bin"));
    assertEquals(ana.folder.names("inbox"), ["bob/one.bin", "bob/three.bin"]);
    assertEquals(ana.folder.names().includes("four.bin"), true);
  },
);
