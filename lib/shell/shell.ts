/**
 * The shell: runs what is typed, shows how downloads go, tells what happens meanwhile. Where there is no terminal, lines come from a pipe;
 * where nothing comes from there either, the peer just serves until it is told to stop.
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
import type { TransferResult, TransferView } from "../peer/get/transfer.ts";
import type { StartedTransfer } from "../peer/get/transfers.ts";
import type { CommandContext } from "./commands/command.ts";
import { checkUsage, commandName, findCommand, QUIT, textAfter } from "./commands/commands.ts";
import { answerInWords } from "./commands/consent_commands.ts";
import { complete, type Completing, completing, type Vocabulary } from "./complete.ts";
import { parseFlags } from "../cli/flags.ts";
import { imageProtocol } from "./screen/image_query.ts";
import type { ImageChoice } from "./screen/inline_image.ts";
import { EXIT, exitCodeOf } from "../cli/outcome.ts";
import type { Output } from "./screen/output.ts";
import { reportDone } from "./commands/get.ts";
import { progressLine } from "./screen/progress.ts";
import { noteStopped } from "./screen/stopped.ts";
import { cutMiddle } from "../cli/style.ts";
import { Terminal } from "./screen/terminal.ts";

const REDRAW_MS = 200;
/** Names that are asked for when Tab is pressed, and those of them that are shown. */
const SUGGESTIONS_MAX = 50;
const CHOICES_SHOWN_MAX = 15;

/** A shell on a joined peer. */
export class Shell {
  readonly #peer: Peer;
  readonly #output: Output;
  readonly #images: ImageChoice;
  readonly #running = new Set<Promise<void>>();
  #lastCode: number = EXIT.done;

  constructor(peer: Peer, output: Output, options: { images: ImageChoice }) {
    this.#peer = peer;
    this.#output = output;
    this.#images = options.images;
  }

  /** Runs until it is left. `stopped` resolves when the program is told to stop from outside. Shape: the exit code. */
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
    const lines: string[] = [];
    let busy = false;
    const work = async (): Promise<void> => {
      if (busy) return;
      busy = true;
      for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
        if (!await this.#runLine(line)) return left.resolve(EXIT.done);
      }
      busy = false;
      terminal.prompt();
    };
    let interrupts = 0;
    const ends = { input: process.stdin, output: process.stdout };
    this.#output.images = await imageProtocol(this.#images, ends);
    using terminal: Terminal = new Terminal({
      onLine(line) {
        interrupts = 0;
        lines.push(line);
        void work();
      },
      onInterrupt: () => {
        if (terminal.typed !== "") {
          interrupts = 0;
          return terminal.clearTyped();
        }
        interrupts += 1;
        if (interrupts > 1) return left.resolve(EXIT.interrupted);
        terminal.note("Ctrl-C again, or quit, to leave");
      },
      onEnd: () => left.resolve(EXIT.done),
      status: () => this.#statusLines(terminal.columns()),
      complete: (line) => this.#complete(line, terminal),
    });
    this.#output.writeTo(terminal);
    const timer = setInterval(() => terminal.redraw(), REDRAW_MS);
    try {
      terminal.prompt();
      this.#goOn();
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
    this.#goOn();
    for await (const line of lines) {
      read += 1;
      if (!await this.#runLine(line)) return this.#lastCode;
    }
    if (read === 0) return await stopped;
    await Promise.all(this.#running);
    return this.#lastCode;
  }

  /** Runs one line. Shape: whether the shell goes on. */
  async #runLine(line: string): Promise<boolean> {
    try {
      const [name, ...rest] = answerInWords(splitLine(line, textAfter(line)));
      if (name === undefined) return true;
      if (commandName(name) === QUIT.name) return false;
      const command = findCommand(name);
      const { flags, words } = command.textAfter === undefined
        ? parseFlags(rest, command.flags)
        : { flags: {}, words: rest };
      checkUsage(command, words, flags);
      await command.run(this.#context(), words, flags);
    } catch (thrown) {
      this.#fail(thrown);
    }
    return true;
  }

  #context(): CommandContext {
    return {
      output: this.#output,
      directory: this.#peer.directory,
      peer: this.#peer,
      follow: (started, report) => this.#follow(started, report),
      followPut: (started, report) => this.#followPut(started, report),
      inBackground: (work) => this.#letRun(work),
      stdout: undefined,
    };
  }

  #follow({ transfer, result }: StartedTransfer, report: (result: TransferResult) => void): Promise<void> {
    const { id, wanted } = transfer;
    const { name } = wanted;
    const size = wanted.kind === "file" ? wanted.size : undefined;
    const about = size === undefined ? name : `${name}, ${formatSize(size)}`;
    this.#output.note(`Download ${id}: ${about}`, { event: "started", id, name, size });
    return this.#letRun(result.then(report));
  }

  #followPut({ put, result }: StartedPut, report: (result: PutResult) => void): Promise<void> {
    const { name, size } = put.file;
    this.#output.note(`Putting ${name}, ${formatSize(size)}, to ${shownPeerName(put.peer)}`, {
      event: "putting",
      name,
      size,
      peer: put.peer,
    });
    return this.#letRun(result.then(report));
  }

  /** Lets something run on; when it fails, that is told. The shell's input may end before, the shell not. */
  #letRun(work: Promise<void>): Promise<void> {
    const ended = work.catch((thrown) => {
      if (!failedWith(thrown, "cancelled")) this.#fail(thrown);
    }).finally(() => this.#running.delete(ended));
    this.#running.add(ended);
    return Promise.resolve();
  }

  /** Goes on with the downloads that an earlier run did not end. */
  #goOn(): void {
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

  /** Reports how far the downloads came that a person leaves behind; the next start goes on with them. Then the same of files that are being put. */
  #reportStopped(): void {
    for (const view of this.#peer.transfers.views().filter(isUnderWay)) {
      if (view.state !== "paused") noteStopped(this.#output, view, "it goes on when you start again");
    }
    for (const view of this.#peer.puts.views()) noteStopped(this.#output, view, "the same put goes on from there");
  }

  #statusLines(columns: number): string[] {
    const downloads = this.#peer.transfers.views();
    const active = [
      ...downloads.filter(isUnderWay),
      ...this.#peer.puts.views(),
    ];
    const shown = active.slice(0, 5).map((view) => progressLine(view, columns - 1));
    const hidden = active.length - shown.length;
    return hidden > 0 ? [...shown, `and ${formatCount(hidden, "other file")}: see transfers`] : shown;
  }

  /** Completes a line, or shows above it what there is to choose from. */
  async #complete(line: string, terminal: Terminal): Promise<{ typed: string; insert: string | undefined }> {
    const what = completing(line);
    const { insert, choices } = complete(what, await this.#vocabulary(what.kind, what.word));
    const columns = terminal.columns() - 1;
    const shown = choices.slice(0, CHOICES_SHOWN_MAX).map((choice) => `  ${cutMiddle(choice, columns - 2)}`);
    if (choices.length > shown.length) shown.push("  …");
    if (shown.length > 0) terminal.note(shown.join("\n"));
    return { typed: what.typed, insert };
  }

  async #vocabulary(kind: Completing["kind"], word: string): Promise<Vocabulary> {
    const { blocking, directory, puts, transfers } = this.#peer;
    const own = (): string[] => this.#peer.files().map(({ file }) => file.name);
    switch (kind) {
      case "files":
        return { files: await directory.suggestFiles(word, SUGGESTIONS_MAX) };
      case "peers":
        return { peers: (await directory.peers()).peers.map(({ name }) => name) };
      case "blocked":
        return { blocked: blocking.list().map(({ name }) => name) };
      case "own":
        return { own: own() };
      case "paths":
        return { paths: [...own(), ...await puts.suggestPaths(word, SUGGESTIONS_MAX)] };
      case "transfers":
        return { transfers: transfers.views().filter(isUnderWay).map(({ id }) => String(id)) };
      default:
        return {};
    }
  }
}

function isUnderWay({ state }: TransferView): boolean {
  return state !== "done" && state !== "failed" && state !== "cancelled";
}
