/**
 * Components of the machine that some tests need. Where one is missing, its tests skip and say why; under `STRICT=1`, as in CI, they fail.
 * @module
 */

/** Runs a test only where a program is installed. `args` makes the program end at once, successfully. */
export function testWith(program: string, args: readonly string[], name: string, run: () => Promise<void>): void {
  const missing = !answers(program, args);
  if (missing && Deno.env.get("STRICT") === "1") {
    Deno.test(name, () => {
      throw new Error(`${program} is not installed, and STRICT=1 forbids to skip this test`);
    });
    return;
  }
  Deno.test({ name: missing ? `${name} (skipped: ${program} is not installed)` : name, ignore: missing, fn: run });
}

function answers(program: string, args: readonly string[]): boolean {
  try {
    return new Deno.Command(program, { args: [...args], stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}
