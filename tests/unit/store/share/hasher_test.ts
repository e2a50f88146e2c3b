import { assertEquals } from "@std/assert";
import { PIECE_BYTES } from "../../../../lib/core/content.ts";
import type { Failure } from "../../../../lib/core/failure.ts";
import { Hasher } from "../../../../lib/store/share/hasher.ts";
import { Hashing } from "../../../../lib/store/share/hashing.ts";
import { TempFolder } from "../../../support/temp.ts";
import { eventually } from "../../../support/wait.ts";

/** Counts the workers of a test. It has to be disposed of. */
function countWorkers(): { readonly running: Set<Worker> } & Disposable {
  const running = new Set<Worker>();
  const { Worker } = globalThis;
  globalThis.Worker = class extends Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      running.add(this);
    }

    override terminate(): void {
      running.delete(this);
      super.terminate();
    }
  };
  return { running, [Symbol.dispose]: () => void (globalThis.Worker = Worker) };
}

Deno.test("Hasher ends a worker without work, also when hashing rests meanwhile", async () => {
  using workers = countWorkers();
  await using temp = await TempFolder.make();
  using hasher = new Hasher();
  hasher.use(2);
  const large = hasher.start(await temp.file("large.bin", 4 * PIECE_BYTES), { urgent: false });
  await hasher.start(await temp.file("small.bin", 1), { urgent: false }).done;
  assertEquals(workers.running.size, 2);
  hasher.use(0);
  hasher.hurry(large);
  await large.done;
  await eventually("no worker is left", () => workers.running.size === 0, 10_000);
});

Deno.test({
  name: "Hashing begins nothing after it is closed",
  // A timer that is left makes the test fail.
  sanitizeOps: true,
  async fn() {
    await using temp = await TempFolder.make();
    const path = await temp.file("a.bin", 1);
    const failures: unknown[] = [];
    const hashing = new Hashing({
      cores: 1,
      pathOf: () => path,
      onHashed: () => {},
      onFailed: (_, failure) => failures.push((failure as Failure).code),
    });
    const file = { name: "a.bin", size: 1, modified: 1 };
    hashing.hurry(file);
    hashing.add({ ...file, name: "b.bin" });
    using _serving = hashing.serve();
    hashing[Symbol.dispose]();
    // A look at the folder may end after that.
    hashing.goOn();
    await Promise.resolve();
    assertEquals(failures, ["closed"]);
  },
});
