import { assert, assertEquals } from "@std/assert";
import { type Facts, greeting } from "../../../../lib/shell/screen/greeting.ts";

const FACTS: Facts = {
  folder: "/home/ana/share",
  folderIsNew: false,
  isFirstStart: true,
  files: 3,
  bytes: 1_200_000,
  index: { host: "10.0.0.1", port: 1099 },
  others: { peers: 2, files: 40 },
  fingerprint: "3f9a-11c2-8b0d-77e1",
  consent: "open",
  isPlain: false,
};

Deno.test("greeting() lists a newcomer's files, what others can see, and three commands to try", () => {
  assertEquals(greeting(FACTS), [
    "Found 3 files (1.20 MB) in /home/ana/share",
    "Everybody at the index 10.0.0.1:1099 sees the names of your files and can download them",
    "Hidden files are never shared",
    "Transfers are encrypted; your key is 3f9a-11c2-8b0d-77e1",
    "Connected now: 2 other peers with 40 files",
    "Try: search WORD, get NUMBER, peers (to list all commands: help)",
  ]);
});

Deno.test("greeting() mentions an empty or new folder, an empty room, consent, and missing encryption", () => {
  const text = (facts: Partial<Facts>): string => greeting({ ...FACTS, ...facts }).join("\n");
  assert(text({ files: 0 }).startsWith("The folder /home/ana/share is empty"));
  assert(text({ folderIsNew: true }).startsWith("Made the folder /home/ana/share"));
  assert(text({ others: { peers: 0, files: 0 } }).includes("You are the only peer"));
  assert(text({ consent: "ask" }).includes("you are asked about each download"));
  assert(text({ isPlain: true }).includes("not encrypted"));
  assert(!/Connected|only peer/.test(text({ others: undefined })));
});

Deno.test("greeting() is one line at a later start", () => {
  assertEquals(greeting({ ...FACTS, isFirstStart: false }), ["To list the commands: help"]);
});
