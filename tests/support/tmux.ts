/**
 * A real terminal: tmux, on a socket of its own.
 * @module
 */

import { eventually } from "./wait.ts";

/** One window of a tmux server that nobody else uses. */
export class TmuxTerminal implements AsyncDisposable {
  readonly #socket = `recess-test-${crypto.randomUUID()}`;

  /** Opens a window and runs a shell command in it. */
  static async open(command: string, size: { columns: number; rows: number }): Promise<TmuxTerminal> {
    const terminal = new TmuxTerminal();
    const { columns, rows } = size;
    await terminal.#tmux("new-session", "-d", "-x", String(columns), "-y", String(rows), command);
    await terminal.#tmux("set-option", "-g", "remain-on-exit", "on");
    return terminal;
  }

  /** Types keys, in tmux's names: text, `Enter`, `Tab`, `C-c`, `Up`. */
  async type(...keys: string[]): Promise<void> {
    for (const key of keys) {
      await this.#tmux("send-keys", ...(/^(Enter|Tab|Up|Left|Home|End|C-.)$/.test(key) ? [key] : ["-l", key]));
    }
  }

  /** What is on the screen, a string a row. */
  async screen(): Promise<string[]> {
    return (await this.#tmux("capture-pane", "-p")).split("\n");
  }

  /** Waits until a row matches. */
  async sees(pattern: RegExp, waitMs?: number): Promise<void> {
    let last: string[] = [];
    try {
      await eventually(`${pattern} on the screen`, async () => {
        last = await this.screen();
        return last.some((row) => pattern.test(row));
      }, waitMs);
    } catch (thrown) {
      throw new Error(`${(thrown as Error).message}; there is:\n${last.join("\n")}`);
    }
  }

  async resize(size: { columns: number; rows: number }): Promise<void> {
    await this.#tmux("resize-window", "-x", String(size.columns), "-y", String(size.rows));
  }

  /** Where the cursor is. */
  async cursor(): Promise<{ column: number; row: number }> {
    const [column = 0, row = 0] = (await this.#tmux("display-message", "-p", "#{cursor_x} #{cursor_y}")).split(" ").map(
      Number,
    );
    return { column, row };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server");
  }

  async #tmux(...args: string[]): Promise<string> {
    const command = new Deno.Command("tmux", { args: ["-u", "-L", this.#socket, "-f", "/dev/null", ...args] });
    const { success, stdout, stderr } = await command.output();
    if (!success) throw new Error(`tmux ${args[0]}: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  }
}
