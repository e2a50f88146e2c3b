/**
 * A pseudo-terminal by `script` of util-linux: what a program writes to its terminal, byte by byte,
 * where tmux shows only what becomes of it.
 * @module
 */

import { withoutEscapes } from "./escapes.ts";
import { eventually } from "./wait.ts";

/** A program on a terminal of its own. */
export class Pty implements AsyncDisposable {
  /** Everything written so far. */
  written = "";
  readonly #child: Deno.ChildProcess;
  readonly #drained: Promise<void>;

  /** Runs a shell command. Without `columns`, the terminal reports a width of 0. */
  constructor(command: string, { columns }: { columns?: number } = {}) {
    const size = columns === undefined ? "" : `stty cols ${columns} rows 30; `;
    this.#child = new Deno.Command("script", {
      args: ["-qefc", `${size}${command}`, "/dev/null"],
      env: { TERM: "xterm" },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#drained = this.#drain();
  }

  /** Types text. */
  async type(text: string): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(text));
    writer.releaseLock();
  }

  /**
   * Waits until something that matches was written behind `from`, and gives what was written there.
   */
  sees(pattern: RegExp, from = 0): Promise<string> {
    return this.#waitFor(`${pattern} on the terminal`, (text) => pattern.test(text), from);
  }

  /**
   * Waits until a text is the last one that was written behind `from`. Escape codes behind it do
   * not count.
   */
  async showsLast(text: string, from = 0): Promise<void> {
    const what = `${JSON.stringify(text)} at the end of the terminal`;
    await this.#waitFor(what, (written) => withoutEscapes(written).endsWith(text), from);
  }

  /** Resolves to the exit code. */
  async exit(): Promise<number> {
    await this.#drained;
    return (await this.#child.status).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close().catch(() => {});
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // It has ended.
    }
    await this.exit();
  }

  async #waitFor(what: string, isThere: (written: string) => boolean, from: number): Promise<string> {
    try {
      return await eventually(what, () => {
        const written = this.written.slice(from);
        return isThere(written) ? written : undefined;
      }, 30_000);
    } catch (thrown) {
      throw new Error(`${(thrown as Error).message}; there is: ${JSON.stringify(this.written.slice(from))}`);
    }
  }

  async #drain(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#child.stdout) this.written += decoder.decode(chunk, { stream: true });
  }
}
