import { assert } from "@std/assert";
import { isOwnName } from "../../../lib/http/access.ts";

Deno.test("isOwnName() accepts IP addresses, names of the local network and configured names", () => {
  const own = [
    "10.0.0.1",
    "10.0.0.1:8031",
    "[::1]:8031",
    "localhost",
    "localhost:1",
    "labserver:8031",
    "lab.local",
    "Index.Example.EDU:9",
  ];
  for (const header of own) assert(isOwnName(header, ["index.example.edu"]), header);
  const others = [
    "evil.com",
    "evil.com:8031",
    "1.2.3.4.evil.com",
    "index.example.edu.evil.com",
    "evil.com.",
    "",
    "a b",
    "x@10.0.0.1",
    "10.0.0.1/x",
    "10.0.0.1#x",
    "[bad",
    "xlocal.com",
  ];
  for (const header of others) assert(!isOwnName(header, ["index.example.edu"]), header);
});
