/**
 * Disks of their own, as small as a test needs them, or read-only. Only a user that may mount can
 * have them.
 * @module
 */

import { join } from "node:path";
import type { TempFolder } from "./temp.ts";

/**
 * Registers a test that mounts disks; where this user may not, it is skipped, or fails under
 * `STRICT=1`.
 */
export function testWithDisks(name: string, run: () => Promise<void>): void {
  if (mayMount()) Deno.test(name, run);
  else if (Deno.env.get("STRICT") !== "1") {
    Deno.test({ name: `${name} (skipped: this user may not mount)`, ignore: true, fn: run });
  } else {
    Deno.test(name, () => {
      throw new Error("This user may not mount, and STRICT=1 forbids to skip this test");
    });
  }
}

/** A mounted disk. */
export class Disk implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Mounts an empty disk in a folder of its own below `temp`. */
  static async mount(temp: TempFolder, megabytes: number): Promise<Disk> {
    const path = await temp.folder("disk");
    if (!mount(["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", path])) throw new Error(`Cannot mount at ${path}`);
    return new Disk(path);
  }

  /** A path on it. */
  at(...components: string[]): string {
    return join(this.path, ...components);
  }

  /** Fills it to the last byte. */
  async fill(): Promise<void> {
    using file = await Deno.open(this.at("ballast"), { append: true, create: true });
    for (const size of [1 << 20, 1 << 12, 1]) {
      try {
        while (true) await file.write(new Uint8Array(size));
      } catch (thrown) {
        if (!(thrown instanceof Error && /os error 28/.test(thrown.message))) throw thrown;
      }
    }
  }

  /** Makes room again. */
  async makeRoom(): Promise<void> {
    await Deno.remove(this.at("ballast"));
  }

  /** Lets nobody write on it any more. */
  setReadOnly(): void {
    if (!mount(["-o", "remount,ro", this.path])) throw new Error(`Cannot make ${this.path} read-only`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Deno.Command("umount", { args: ["-l", this.path] }).output();
  }
}

let isAllowed: boolean | undefined;

function mayMount(): boolean {
  if (isAllowed !== undefined) return isAllowed;
  const path = Deno.makeTempDirSync();
  isAllowed = mount(["-t", "tmpfs", "-o", "size=1m", "tmpfs", path]);
  if (isAllowed) new Deno.Command("umount", { args: [path] }).outputSync();
  Deno.removeSync(path);
  return isAllowed;
}

function mount(args: string[]): boolean {
  try {
    return new Deno.Command("mount", { args, stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}
