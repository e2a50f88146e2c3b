/**
 * Components of the machine that some tests need. Where one is missing, its tests skip and say why;
 * under `STRICT=1`, as in CI, they fail.
 * @module
 */

/** Registers a test. */
export type RegisterTest = (name: string, run: () => Promise<void>) => void;

/**
 * Runs a test only where a program is installed. `args` makes the program end at once,
 * successfully.
 */
export function testWith(program: string, args: readonly string[], name: string, run: () => Promise<void>): void {
  withComponent(program, args)(name, run);
}

/** Registers tests that run only where a program is installed. */
export function withComponent(program: string, args: readonly string[]): RegisterTest {
  const missing = !answers(program, args);
  if (!missing) return (name, run) => Deno.test(name, run);
  if (Deno.env.get("STRICT") !== "1") {
    return (name, fn) => Deno.test({ name: `${name} (skipped: ${program} is not installed)`, ignore: true, fn });
  }
  return (name) => {
    Deno.test(name, () => {
      throw new Error(`${program} is not installed, and STRICT=1 forbids to skip this test`);
    });
  };
}

/** Whether a program is installed: with these arguments it ends at once, successfully. */
export function answers(program: string, args: readonly string[]): boolean {
  try {
    return new Deno.Command(program, { args: [...args], stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}
