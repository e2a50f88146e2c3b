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

Deno.test("greeting() tells a newcomer what was found, what others can see and three commands to try", () => {
  assertEquals(greeting(FACTS), [
    "Found 3 files (1.20 MB) in /home/ana/share",
    "Everybody at the index 10.0.0.1:1099 sees the names of what you share, and can download them; hidden files are never shared",
    "Transfers are encrypted; your key is 3f9a-11c2-8b0d-77e1",
    "Here now: 2 other peers with 40 files",
    "Try: search PART-OF-A-NAME, get NUMBER, peers (help lists the rest)",
  ]);
});

Deno.test("greeting() says what is different: an empty or new folder, nobody here, consent, no encryption", () => {
  const told = (facts: Partial<Facts>): string => greeting({ ...FACTS, ...facts }).join("\n");
  assert(told({ files: 0 }).startsWith("Nothing is in /home/ana/share yet"));
  assert(told({ folderIsNew: true }).startsWith("Made the folder /home/ana/share"));
  assert(told({ others: { peers: 0, files: 0 } }).includes("No other peer is here yet"));
  assert(told({ consent: "ask" }).includes("you are asked when somebody wants one"));
  assert(told({ isPlain: true }).includes("not encrypted"));
  assert(!told({ others: undefined }).includes("here"));
});

Deno.test("greeting() is one line at a later start", () => {
  assertEquals(greeting({ ...FACTS, isFirstStart: false }), ["help lists what you can do"]);
});
