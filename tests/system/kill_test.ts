import { assert, assertEquals } from "@std/assert";
import { resolve } from "node:path";
import { WORKER_FILES_MIN } from "../../lib/store/small/small_placer.ts";
import { withComponent } from "../support/components.ts";
import { PEER_FLAGS, Program } from "../support/programs.ts";
import { Room, type RoomPeer } from "../support/room.ts";
import { sameFiles, type TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

const testWithStrace = withComponent("strace", ["-V"]);

/** A call of the system at which a program is killed, before it is carried out. */
type Place = readonly [call: string, number: number];

/** Programs that run at once: each needs a core for itself. */
const AT_ONCE = 3;
/** A program that has not come to its place by then does not come there. */
const RUN_MS_MAX = 20_000;

/**
 * Runs a peer until it is killed at a place, it ends, or `isOver` says so.
 *
 * @returns Whether it was killed at the place.
 */
async function killedAt(
  [call, number]: Place,
  { room, folder, name, args }: { room: Room; folder: TempFolder; name: string; args: readonly string[] },
  isOver?: (program: Program) => boolean | Promise<boolean>,
): Promise<boolean> {
  const pidFile = `${folder.path}.pid`;
  const inject = `inject=${call}:signal=SIGKILL:when=${number}`;
  const { host, port } = room.address;
  const flags = [...PEER_FLAGS, "peer.ts", folder.path, "--host", host, "--index", `${host}:${port}`, "--name", name];
  await using program = new Program([...flags, ...args], {
    stdin: "piped",
    within: [
      ...["strace", "-f", "-qqq", "-o", "/dev/null", "-e", `trace=${call}`, "-e", inject],
      ...["sh", "-c", `echo $$ > "${pidFile}"; exec "$0" "$@"`],
    ],
  });
  const startMs = performance.now();
  await eventually(`${call} ${number}`, async () => {
    return program.ended || await isOver?.(program) === true || performance.now() - startMs > RUN_MS_MAX;
  }, 3 * RUN_MS_MAX);
  const pid = Number(await Deno.readTextFile(pidFile));
  await Deno.remove(pidFile);
  if (!program.ended) Deno.kill(pid, "SIGKILL");
  const wasEnded = program.ended;
  // strace ends as what it traces: killed by the same signal.
  return await program.exit() === 128 + 9 && wasEnded;
}

/**
 * Does something at each place, a few at a time.
 *
 * @returns At how many of them the program was killed.
 */
async function atEach(
  places: readonly Place[],
  run: (place: Place, number: number) => Promise<boolean>,
): Promise<number> {
  const left = [...places.entries()];
  let killed = 0;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      if (await run(next[1], next[0])) killed += 1;
    }
  }));
  return killed;
}

function places(call: string, first: number, last: number, step = 1): Place[] {
  return Array.from(
    { length: Math.floor((last - first) / step) + 1 },
    (_, index) => [call, first + index * step] as const,
  );
}

/** Every file of a folder that its owner sees, and what lies in `incoming`. */
function filesOf(folder: TempFolder, ...below: string[]): string[] {
  try {
    return Array.from(Deno.readDirSync(folder.at(...below)), ({ name }) => name).filter((name) => name !== ".recess")
      .sort();
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return [];
    throw thrown;
  }
}

/** What is in a file, as its digest: a difference of megabytes cannot be printed. */
async function contentOf(path: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(path))).toHex();
}

/**
 * Changes a file in place, as an editor does that keeps it.
 *
 * @returns What is in it now, as a digest.
 */
async function edit(path: string): Promise<string> {
  using file = await Deno.open(path, { write: true });
  await file.write(new TextEncoder().encode("edited by its owner"));
  return await contentOf(path);
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return false;
    throw thrown;
  }
}

function assertNothingDamaged({ events }: RoomPeer, place: Place): void {
  const bad = events.filter(({ event }) => event.startsWith("state-") || event === "trust-restored");
  assertEquals(bad, [], String(place));
}

testWithStrace(
  "a download killed at any system call continues, and the next one keeps its owner's edits",
  async () => {
    await using room = await Room.open();
    const ana = await room.peer("ana");
    await ana.folder.file("film.bin", 3_000_000);
    await room.hashed("ana", "film.bin");
    const film = ana.folder.at("film.bin");
    const all = [
      ...places("mkdir", 1, 3),
      ...places("unlink", 1, 4),
      ...places("linkat", 1, 1),
      ...places("rename", 1, 1),
      ...places("ftruncate", 1, 2),
      ...places("fdatasync", 1, 2),
      ...places("fsync", 1, 6),
      ...places("flock", 1, 1),
      ...places("pwrite64", 1, 49, 2),
      ...places("write", 1, 21, 2),
    ];
    const killed = await atEach(all, async (place, number) => {
      const folder = await room.folder();
      const name = `peer ${number}`;
      const wasKilled = await killedAt(place, { room, folder, name, args: ["get", "film.bin", "--from", "ana"] });
      const there = filesOf(folder).includes("film.bin");
      if (there) assert(await sameFiles(film, folder.at("film.bin")), String(place));
      const edited = there ? await edit(folder.at("film.bin")) : undefined;
      const again = await room.peer(`again ${number}`, folder);
      const wanted = await again.peer.directory.resolve("film.bin", { from: "ana" });
      const { path } = await again.peer.transfers.start(wanted, { kind: "folder" }).result;
      assert(await sameFiles(film, resolve(folder.path, path ?? "")), String(place));
      if (edited !== undefined) assertEquals(await contentOf(folder.at("film.bin")), edited, String(place));
      assertEquals(filesOf(folder), there ? ["(1) film.bin", "film.bin"] : ["film.bin"], String(place));
      assertEquals(filesOf(folder, ".recess", "incoming"), [], String(place));
      assertNothingDamaged(again, place);
      await again.peer[Symbol.asyncDispose]();
      return wasKilled;
    });
    assert(killed >= 40, `killed at ${killed} places only`);
  },
);

testWithStrace(
  "a folder of small files killed at any system call has no wrong or half file, and continues",
  async () => {
    await using room = await Room.open();
    const ana = await room.peer("ana");
    const names = Array.from({ length: WORKER_FILES_MIN }, (_, file) => `notes/${file % 7}/${file}.txt`);
    for (const [file, name] of names.entries()) await ana.folder.file(name, 2_000, file);
    for (const name of names) await room.hashed("ana", name);
    const differing = async (folder: TempFolder, all: readonly string[]): Promise<string[]> => {
      const same = await Promise.all(all.map((name) => sameFiles(ana.folder.at(name), folder.at(name))));
      return all.filter((_, index) => same[index] !== true);
    };
    const all = [
      ...places("linkat", 1, 901, 300),
      ...places("unlink", 100, 900, 400),
      ...places("write", 50, 1_050, 500),
      ...places("mkdir", 2, 6, 2),
    ];
    const killed = await atEach(all, async (place, number) => {
      const folder = await room.folder();
      const wasKilled = await killedAt(place, { room, folder, name: `peer ${number}`, args: ["get", "notes/"] });
      const here = names.filter((name) => exists(folder.at(name)));
      assertEquals(await differing(folder, here), [], String(place));
      const again = await room.peer(`again ${number}`, folder);
      await again.peer.transfers.start({ kind: "folder", name: "notes/" }, { kind: "folder" }).result;
      assertEquals(await differing(folder, names), [], String(place));
      assertEquals(filesOf(folder, ".recess", "incoming"), [], String(place));
      assertNothingDamaged(again, place);
      await again.peer[Symbol.asyncDispose]();
      return wasKilled;
    });
    assert(killed >= 8, `killed at ${killed} places only`);
  },
);

testWithStrace(
  "an inbox killed during a put accepts the file the next time, and keeps its owner's edits",
  async () => {
    await using room = await Room.open();
    const ana = await room.peer("ana");
    await ana.folder.file("film.bin", 2_000_000);
    await room.hashed("ana", "film.bin");
    const film = ana.folder.at("film.bin");
    const all = [
      ...places("linkat", 1, 1),
      ...places("unlink", 1, 3),
      ...places("fdatasync", 1, 1),
      ...places("ftruncate", 1, 1),
      ...places("mkdir", 3, 5),
      ...places("pwrite64", 12, 30, 6),
    ];
    const killed = await atEach(all, async (place, number) => {
      const folder = await room.folder();
      const name = `depot ${number}`;
      let put: Promise<unknown> | undefined;
      let isPut = false;
      const wasKilled = await killedAt(place, { room, folder, name, args: ["--inbox"] }, ({ stdout }) => {
        if (stdout.includes("listening")) {
          put ??= ana.peer.puts.start("film.bin", name).result.then(() => isPut = true, () => {});
        }
        return isPut;
      });
      const names = filesOf(folder, "inbox", "ana");
      const stored = names.map((each) => folder.at("inbox", "ana", each));
      for (const path of stored) assert(await sameFiles(film, path), String(place));
      const edited = stored[0] === undefined ? undefined : await edit(stored[0]);
      const again = await room.peer(`again ${number}`, folder, { inbox: { share: false, quota: 1e9 } });
      const { path } = await ana.peer.puts.start("film.bin", again.peer.name).result;
      assert(await sameFiles(film, folder.at(...path.split("/"))), String(place));
      if (stored[0] !== undefined) assertEquals(await contentOf(stored[0]), edited, String(place));
      assertEquals(filesOf(folder, ".recess", "incoming"), [], String(place));
      assertNothingDamaged(again, place);
      await again.peer[Symbol.asyncDispose]();
      await put;
      return wasKilled;
    });
    assert(killed >= 8, `killed at ${killed} places only`);
  },
);

testWithStrace(
  "a peer killed while it lists and hashes its folder lists the whole folder the next time",
  async () => {
    await using room = await Room.open();
    const all = [...places("pwrite64", 2, 38, 9), ...places("fsync", 2, 4), ...places("unlink", 1, 1)];
    const killed = await atEach(all, async (place, number) => {
      const folder = await room.folder();
      for (let file = 0; file < 30; file++) await folder.file(`videos/${file}.bin`, 5_000, file);
      const before = await Promise.all(
        filesOf(folder, "videos").map((name) => Deno.readFile(folder.at("videos", name))),
      );
      const name = `scanned ${number}`;
      const wasKilled = await killedAt(place, { room, folder, name, args: [] }, async ({ stdout }) => {
        return stdout.includes("listening") && (await room.index.copy(name, "videos/29.bin"))?.root !== undefined;
      });
      const again = await room.peer(`again ${number}`, folder);
      assertEquals(again.peer.files().length, 30, String(place));
      const after = await Promise.all(
        filesOf(folder, "videos").map((each) => Deno.readFile(folder.at("videos", each))),
      );
      assertEquals(after, before, String(place));
      assertNothingDamaged(again, place);
      await again.peer[Symbol.asyncDispose]();
      return wasKilled;
    });
    assert(killed >= 5, `killed at ${killed} places only`);
  },
);
