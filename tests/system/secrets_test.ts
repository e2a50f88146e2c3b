import { assertEquals, assertMatch } from "@std/assert";
import { RoomKey } from "../../lib/net/room_key.ts";
import { type PeerArgs, runCommand, runIndex, startIndex } from "../support/programs.ts";
import { TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

Deno.test("a warning names secrets that others can read, and room keys that can be guessed", async () => {
  await using temp = await TempFolder.make();
  const [good, open, weak] = [temp.at("good.key"), temp.at("open.key"), temp.at("weak.key")];
  await Deno.writeTextFile(good, RoomKey.makeText(), { mode: 0o640 });
  await Deno.copyFile(good, open);
  await Deno.chmod(open, 0o644);
  await Deno.writeTextFile(weak, "0".repeat(32), { mode: 0o600 });
  await using index = await startIndex("--room-key-file", good);
  const rui = (key: string): PeerArgs => ({ folder: temp.at("rui"), index, args: ["--room-key-file", key] });
  assertEquals(/guessed|mode/.test((await runCommand(rui(good), "peers")).stderr), false);
  assertMatch((await runCommand(rui(open), "peers")).stderr, /can read or change ".*open\.key" \(mode 644\)/);
  await Deno.chmod(temp.at("rui", ".recess", "identity.pem"), 0o644);
  const loose = await runCommand({ ...rui(good), args: ["--room-key-file", good, "--json"] }, "peers");
  assertMatch(loose.stderr, /"event":"insecure".*identity\.pem/);
  await using other = await startIndex("--room-key-file", weak);
  await eventually("it is logged", () => other.program.stderr.includes("can be guessed"));
  await using shown = await startIndex("--room-key-file", open);
  await eventually("it is logged", () => /open\.key" \(mode 644\)/.test(shown.program.stderr));
  assertEquals(/guessed|mode/.test(index.program.stderr), false);
});

Deno.test("the URL of Redis comes from a file, and a password among the arguments causes a warning", async () => {
  await using temp = await TempFolder.make();
  const file = temp.at("redis.url");
  // Nobody listens there: what is tried shows what was read.
  await Deno.writeTextFile(file, "redis://:secret@127.0.0.1:9\n", { mode: 0o600 });
  const ports = ["--port", "0", "--no-http", "--host", "127.0.0.1"];
  const fromFile = await runIndex(...ports, "--redis-url-file", file);
  assertMatch(fromFile.stderr, /127\.0\.0\.1:9/);
  assertEquals(/secret|arguments/.test(fromFile.stderr), false, fromFile.stderr);
  const fromArgument = await runIndex(...ports, "--redis", "redis://:secret@127.0.0.1:9");
  assertMatch(fromArgument.stderr, /can see the password of Redis among the arguments/);
  const both = await runIndex(...ports, "--redis", "redis://127.0.0.1:9", "--redis-url-file", file);
  assertEquals(both.code, 2);
});
