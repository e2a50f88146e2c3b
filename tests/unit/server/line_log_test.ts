import { assertEquals } from "@std/assert";
import { LineLog } from "../../../lib/server/line_log.ts";

Deno.test("LineLog writes all lines in order, many at a time, the last of them when it is closed", async () => {
  const writes: string[] = [];
  const target = { writeSync: (bytes: Uint8Array) => writes.push(new TextDecoder().decode(bytes)) && bytes.length };
  {
    using log = new LineLog(target);
    log.write("a");
    log.write("b");
    await new Promise((resolve) => setTimeout(resolve, 80));
    assertEquals(writes, ["a\nb\n"]);
    log.write("c");
  }
  assertEquals(writes, ["a\nb\n", "c\n"]);
});

Deno.test("LineLog goes on when nobody reads the log any more", () => {
  using log = new LineLog({
    writeSync: () => {
      throw new Deno.errors.BrokenPipe("gone");
    },
  });
  log.write("a");
});
