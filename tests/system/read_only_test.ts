import { assert, assertEquals, assertMatch } from "@std/assert";
import { Disk, testWithDisks } from "../support/disks.ts";
import { type PeerArgs, runCommand, startIndex, startPeer } from "../support/programs.ts";
import { sameFiles, TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

testWithDisks(
  "a peer shares a read-only folder, remembers nothing, and downloads only to other folders",
  async () => {
    await using temp = await TempFolder.make();
    await using disk = await Disk.mount(temp, 20);
    await using index = await startIndex();
    for (const folder of ["new", "known"]) await temp.file(`disk/${folder}/${folder}.bin`, 2_000_000, folder.length);
    await temp.file("eva/small/one.txt", 2_000);
    await temp.file("eva/film.bin", 3_000_000);
    await using _eva = await startPeer({ folder: temp.at("eva"), index, name: "eva" });
    const guest: PeerArgs = { folder: temp.at("guest"), index };
    const hashed = async (name: string): Promise<void> => {
      const searching = { ...guest, args: ["--json"] };
      await eventually(name, async () => (await runCommand(searching, "search", name)).stdout.includes('"root"'));
    };
    await hashed("film.bin");
    const keyOf = (text: string): string => /your key is (\S+)/.exec(text)?.[1] ?? "none";
    // A folder that had a state before it became read-only goes on with it.
    let key: string;
    {
      await using known = await startPeer({ folder: disk.at("known"), index, name: "known" });
      await hashed("known.bin");
      key = keyOf(known.program.stderr);
      known.program.kill("SIGTERM");
      await known.program.exit();
    }
    disk.setReadOnly();
    for (const name of ["new", "known"]) {
      const readOnly: PeerArgs = { folder: disk.at(name), index, name };
      await using running = await startPeer({ ...readOnly, stdin: "piped" });
      assertEquals(running.files, 1);
      await hashed(`${name}.bin`);
      const got = await runCommand(guest, "get", `${name}.bin`, "--from", name);
      assertEquals(got.code, 0, got.stderr);
      assert(await sameFiles(temp.at("guest", `${name}.bin`), disk.at(name, `${name}.bin`)));
      assertMatch(
        running.program.stderr,
        /Cannot write in ".*": read-only file system; this run is not remembered/,
      );
      assertEquals(running.program.stderr.match(/not remembered/g)?.length, 1, running.program.stderr);
      if (name === "known") assertEquals(keyOf(running.program.stderr), key);
      const { program } = running;
      await program.type("get film.bin");
      await eventually("it is refused", () => program.stderr.includes("choose another place with --output PATH"));
      await program.type(`get film.bin --output ${temp.at(`${name}.film`)}`);
      await program.line(new RegExp(`${name}\\.film: `));
      assert(await sameFiles(temp.at(`${name}.film`), temp.at("eva", "film.bin")));
      await program.type(`get small/ --output ${temp.at(`${name}.folder`)}`);
      await eventually(
        "the folder is there",
        () => sameFiles(temp.at(`${name}.folder`, "one.txt"), temp.at("eva", "small", "one.txt")).catch(() => false),
      );
      assert(!/this is a bug|check the permissions/.test(program.stderr), program.stderr);
      const left = Array.from(Deno.readDirSync(temp.path), (entry) => entry.name).sort();
      assert(left.every((each) => /^(disk|eva|guest|(new|known)\.(film|folder))$/.test(each)), String(left));
    }
  },
);
