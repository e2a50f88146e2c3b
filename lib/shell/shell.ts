/**
 * The shell: runs typed commands, shows the progress of downloads, and reports events. Without a
 * terminal, lines come from a pipe. Without a pipe, too, the peer only serves until a signal stops
 * it.
 * @module
 */

import process from "node:process";
import { createInterface } from "node:readline";
import { failedWith } from "../core/failure.ts";
import { splitLine } from "../core/line.ts";
import { shownPeerName } from "../core/peer_name.ts";
import { formatCount, formatSize } from "../core/quantity.ts";
import type { Peer } from "../peer/peer.ts";
import type { StartedPut } from "../peer/inbox/puts.ts";
import type { PutResult } from "../peer/inbox/running_put.ts";
import type { Transfer, TransferResult } from "../peer/get/transfer.ts";
import type { StartedTransfer } from "../peer/get/transfers.ts";
import { parseFlags } from "../cli/flags.ts";
import { EXIT, exitCodeOf } from "../cli/outcome.ts";
import { cutMiddle } from "../cli/style.ts";
import { type PeerContext, type ReadyCommand, textAfterOf } from "./commands/command.ts";
import { commandName, findCommand, QUIT, textAfter } from "./commands/commands.ts";
import { answerInWords } from "./commands/consent_commands.ts";
import { reportDone } from "./commands/get.ts";
import { isUnderWay } from "./commands/listings.ts";
import { imageProtocol } from "./screen/image_query.ts";
import type { ImageChoice } from "./screen/inline_image.ts";
import type { Output } from "./screen/output.ts";
import { progressLine } from "./screen/progress.ts";
import { noteStopped } from "./screen/stopped.ts";
import { Terminal } from "./screen/terminal.ts";
import { suggest } from "./suggestions.ts";

const REDRAW_MS = 200;
/** How many of the names that Tab found are shown. */
const CHOICES_SHOWN_MAX = 15;
/** How many transfers have a line of their own below the prompt. */
const PROGRESS_LINES_MAX = 5;

/** A shell on a joined peer. */
export class Shell {
  readonly #peer: Peer;
  readonly #output: Output;
  readonly #images: ImageChoice;
  /** What runs in the background. Each download stands beside its work. */
  readonly #running = new Map<Promise<void>, Transfer | undefined>();
  #lastCode: number = EXIT.done;

  constructor(peer: Peer, output: Output, options: { images: ImageChoice }) {
    this.#peer = peer;
    this.#output = output;
    this.#images = options.images;
  }

  /**
   * Runs until a person leaves the shell.
   *
   * @param stopped Resolves when a signal stops the program, to the exit code.
   * @returns The exit code.
   */
  async run(stopped: Promise<number>): Promise<number> {
    const onTerminal = Deno.stdin.isTerminal() && Deno.stdout.isTerminal() && !this.#output.json;
    const left = onTerminal ? this.#runOnTerminal(stopped) : Promise.race([stopped, this.#runOnLines(stopped)]);
    const code = await left;
    this.#reportStopped();
    return code;
  }

  async #runOnTerminal(stopped: Promise<number>): Promise<number> {
    const left = Promise.withResolvers<number>();
    stopped.then(left.resolve);
    const queue = new LineQueue({
      run: (line) => this.#runLine(line),
      onIdle: () => terminal.prompt(),
      onQuit: () => left.resolve(EXIT.done),
    });
    let interrupts = 0;
    this.#output.images = await imageProtocol(this.#images, { input: process.stdin, output: process.stdout });
    using terminal: Terminal = new Terminal({
      onLine(line) {
        interrupts = 0;
        queue.add(line);
      },
      onInterrupt: () => {
        if (terminal.typed !== "") {
          interrupts = 0;
          return terminal.clearTyped();
        }
        interrupts += 1;
        if (interrupts > 1) return left.resolve(EXIT.interrupted);
        terminal.note("Press Ctrl-C again, or write quit, to leave");
      },
      onEnd: () => left.resolve(EXIT.done),
      status: () => this.#statusLines(terminal.columns()),
      complete: (line) => this.#complete(line, terminal),
    });
    this.#output.writeTo(terminal);
    const timer = setInterval(() => terminal.redraw(), REDRAW_MS);
    try {
      terminal.prompt();
      this.#resumeKept();
      return await left.promise;
    } finally {
      clearInterval(timer);
      this.#output.writeTo(undefined);
    }
  }

  async #runOnLines(stopped: Promise<number>): Promise<number> {
    let read = 0;
    const lines = createInterface({ input: process.stdin, terminal: false });
    stopped.then(() => lines.close());
    this.#resumeKept();
    for await (const line of lines) {
      read += 1;
      if (await this.#runLine(line)) continue;
      // A person at a keyboard wants to leave now. A script wants its downloads.
      if (Deno.stdin.isTerminal()) return this.#lastCode;
      break;
    }
    if (read === 0) return await stopped;
    await this.#finishRunning();
    return this.#lastCode;
  }

  /** Waits for all work in the background except paused downloads, which no input can resume. */
  async #finishRunning(): Promise<void> {
    const unpaused = this.#running.entries().filter(([, transfer]) => transfer?.stopReason !== "pause");
    await Promise.all(unpaused.map(([work]) => work));
  }

  /**
   * Runs one line.
   *
   * @returns Whether the shell continues.
   */
  async #runLine(line: string): Promise<boolean> {
    try {
      const [name, ...rest] = answerInWords(splitLine(line, textAfter(line)));
      if (name === undefined) return true;
      if (commandName(name) === QUIT.name) return false;
      await readyCommand(name, rest).run(this.#context());
    } catch (thrown) {
      this.#fail(thrown);
    }
    return true;
  }

  #context(): PeerContext {
    return {
      output: this.#output,
      finding: this.#peer,
      peer: this.#peer,
      follow: (started, report) => this.#follow(started, report),
      followPut: (started, report) => this.#followPut(started, report),
      inBackground: (work) => this.#runInBackground(work),
      stdout: undefined,
    };
  }

  #follow({ transfer, result }: StartedTransfer, report: (result: TransferResult) => void): Promise<void> {
    const { id, wanted } = transfer;
    const { name } = wanted;
    const size = wanted.kind === "file" ? wanted.size : undefined;
    const about = size === undefined ? name : `${name}, ${formatSize(size)}`;
    this.#output.note(`Download ${id}: ${about}`, { event: "started", id, name, size });
    return this.#runInBackground(result.then(report), transfer);
  }

  #followPut({ put, result }: StartedPut, report: (result: PutResult) => void): Promise<void> {
    const { name, size } = put.file;
    this.#output.note(`Putting ${name}, ${formatSize(size)}, to ${shownPeerName(put.peer)}`, {
      event: "putting",
      name,
      size,
      peer: put.peer,
    });
    return this.#runInBackground(result.then(report));
  }

  /** Lets work continue while further commands run, and reports its failure. */
  #runInBackground(work: Promise<void>, transfer?: Transfer): Promise<void> {
    const ended = work.catch((thrown) => {
      if (!failedWith(thrown, "cancelled")) this.#fail(thrown);
    }).finally(() => this.#running.delete(ended));
    this.#running.set(ended, transfer);
    return Promise.resolve();
  }

  /** Continues the downloads that an earlier run did not finish. */
  #resumeKept(): void {
    for (const started of this.#peer.transfers.startKept()) {
      void this.#follow(
        started,
        (result) => reportDone(this.#output, started.transfer.wanted, result, this.#peer.folderPath),
      );
    }
  }

  #fail(thrown: unknown): void {
    this.#lastCode = exitCodeOf(thrown);
    this.#output.error(thrown);
  }

  /** Reports how far each running transfer came, when a person leaves the shell. */
  #reportStopped(): void {
    for (const view of this.#peer.transfers.views().filter(isUnderWay)) {
      if (view.state !== "paused") noteStopped(this.#output, view, "it continues when you start again");
    }
    for (const view of this.#peer.puts.views()) noteStopped(this.#output, view, "repeat the put to continue");
  }

  #statusLines(columns: number): string[] {
    const active = [...this.#peer.transfers.views().filter(isUnderWay), ...this.#peer.puts.views()];
    const shown = active.slice(0, PROGRESS_LINES_MAX).map((view) => progressLine(view, columns - 1));
    const hidden = active.length - shown.length;
    return hidden > 0 ? [...shown, `and ${formatCount(hidden, "other file")}: see transfers`] : shown;
  }

  /** Completes a line, or shows above it the names to choose from. */
  async #complete(line: string, terminal: Terminal): Promise<{ typed: string; insert: string | undefined }> {
    const { typed, insert, choices } = await suggest(this.#peer, line);
    const columns = terminal.columns() - 1;
    const shown = choices.slice(0, CHOICES_SHOWN_MAX).map((choice) => `  ${cutMiddle(choice, columns - 2)}`);
    if (choices.length > shown.length) shown.push("  …");
    if (shown.length > 0) terminal.note(shown.join("\n"));
    return { typed, insert };
  }
}

/** A command with the words and flags that were typed after it. Words of a text are never flags. */
function readyCommand(name: string, rest: readonly string[]): ReadyCommand {
  const command = findCommand(name);
  if (textAfterOf(command) !== undefined) return command.ready({ words: rest, flags: {}, given: [] });
  return command.ready(parseFlags(rest, command.flags));
}

/** Runs entered lines one after the other. Lines that are entered while one runs wait for it. */
class LineQueue {
  readonly #lines: string[] = [];
  readonly #handlers: { run(line: string): Promise<boolean>; onIdle(): void; onQuit(): void };
  #isBusy = false;

  /**
   * @param handlers `run` runs a line and resolves to whether the shell continues. `onIdle` is
   * called when no line is left, `onQuit` when the shell does not continue.
   */
  constructor(handlers: { run(line: string): Promise<boolean>; onIdle(): void; onQuit(): void }) {
    this.#handlers = handlers;
  }

  add(line: string): void {
    this.#lines.push(line);
    if (!this.#isBusy) void this.#runAll();
  }

  async #runAll(): Promise<void> {
    this.#isBusy = true;
    for (let line = this.#lines.shift(); line !== undefined; line = this.#lines.shift()) {
      if (!await this.#handlers.run(line)) return this.#handlers.onQuit();
    }
    this.#isBusy = false;
    this.#handlers.onIdle();
  }
}
