import { assertEquals, assertRejects } from "@std/assert";
import { overlapping } from "../../../../lib/core/flow/overlapping.ts";

/** Work that tells what happens, and ends when it is let go. */
class Work {
  readonly log: string[] = [];
  readonly #letGo = new Map<string, PromiseWithResolvers<void>>();

  readonly do = async (one: string, onEnding: () => void): Promise<void> => {
    this.log.push(`${one} begins`);
    await this.#waiting(`${one} is ending`);
    onEnding();
    await this.#waiting(`${one} ends`);
  };

  /** Lets a piece of work go on. */
  async letGo(what: string): Promise<void> {
    this.#of(what).resolve();
    await settled();
  }

  /** Makes a piece of work fail. */
  async fail(what: string): Promise<void> {
    this.#of(what).reject(new Error(what));
    await settled();
  }

  async #waiting(what: string): Promise<void> {
    await this.#of(what).promise;
    this.log.push(what);
  }

  #of(what: string): PromiseWithResolvers<void> {
    const known = this.#letGo.get(what) ?? Promise.withResolvers<void>();
    this.#letGo.set(what, known);
    return known;
  }
}

/** Lets everything run that need not wait. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
}

Deno.test("overlapping() begins the next work when the one before is ending, and two at most", async () => {
  const work = new Work();
  const all = overlapping(["a", "b", "c"], work.do);
  await work.letGo("a is ending");
  await work.letGo("b is ending");
  assertEquals(work.log.splice(0), ["a begins", "a is ending", "b begins", "b is ending"]);
  await work.letGo("a ends");
  assertEquals(work.log.splice(0), ["a ends", "c begins"]);
  for (const what of ["b ends", "c is ending", "c ends"]) await work.letGo(what);
  await all;
  assertEquals(work.log, ["b ends", "c is ending", "c ends"]);
});

Deno.test("overlapping() goes on after work that ends without a word before", async () => {
  const done: string[] = [];
  await overlapping(["a", "b"], (one) => Promise.resolve(void done.push(one)));
  assertEquals(done, ["a", "b"]);
});

Deno.test("overlapping() begins nothing after a failure, and ends when nothing is under way", async () => {
  for (const failing of ["a ends", "b is ending"]) {
    const work = new Work();
    let isOver = false;
    const all = overlapping(["a", "b", "c"], work.do);
    const failed = assertRejects(() => all.finally(() => isOver = true), Error, failing);
    await work.letGo("a is ending");
    await work.fail(failing);
    assertEquals(isOver, false, failing);
    for (const what of ["a ends", "b is ending", "b ends"]) await work.letGo(what);
    await failed;
    assertEquals(work.log.includes("c begins"), false, failing);
  }
});
