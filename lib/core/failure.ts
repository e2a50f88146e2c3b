/**
 * Failures that the network, the disk or the person at the keyboard can cause, as one class with
 * one table of codes.
 *
 * A bug is not a `Failure`: it stays the built-in error that it is. Every layer throws failures.
 * lib/net sends them to the other side, lib/shell prints each as a sentence with a hint and chooses
 * an exit code.
 * @module
 */

interface FailureRow {
  /** Whether the same request may succeed later, unchanged. Travels on the wire. */
  readonly retry: boolean;
  /** What the person can do. Shown after the message. Empty when the message already says it. */
  readonly hint: string;
}

/**
 * Every code, read both ways for the wire. A code that is no longer sent stays listed, so that it
 * never gets another meaning.
 */
export const FAILURES = {
  "bad-name": { retry: false, hint: "choose another name" },
  "busy": { retry: true, hint: "try again in a moment" },
  "cancelled": { retry: false, hint: "" },
  "closed": { retry: true, hint: "the other side went away: try again" },
  "corrupt": { retry: true, hint: "the copy there is damaged or was changed: try another peer with --from" },
  "disk-full": { retry: true, hint: "make room and run the command again: it goes on where it stopped" },
  "file-changed": { retry: true, hint: "search again: the owner has another version now" },
  "folder-in-use": { retry: false, hint: "stop the other peer, or share another folder" },
  "index-unreachable": {
    retry: true,
    hint: "check that an index runs there and that its firewall lets you in; start one with `deno task server`, " +
      "or name another with --index HOST:PORT",
  },
  "internal": { retry: false, hint: "this is a bug: run again with --debug and report what it prints" },
  "key-changed": { retry: false, hint: "" },
  "malformed": { retry: false, hint: "the other side may not be Recess, or be another version of it" },
  "name-taken": { retry: false, hint: "choose another name with --name" },
  "no-access": { retry: false, hint: "check the permissions of the folder or file" },
  "no-member": { retry: false, hint: "name the file with the room's key: --room-key-file FILE" },
  "not-found": { retry: false, hint: "search for part of the name" },
  "not-here": { retry: true, hint: "this part of the file has not arrived there yet" },
  "not-joined": { retry: false, hint: "join the index first" },
  "not-shared": { retry: false, hint: "search again: the list may be old" },
  "refused": { retry: false, hint: "" },
  "timeout": { retry: true, hint: "the other side does not answer: try again" },
  "too-large": { retry: false, hint: "" },
  "unproven": { retry: false, hint: "" },
  "unreachable": { retry: true, hint: "the other machine may be off, or its firewall closed" },
  "unsupported": { retry: false, hint: "use the same version of Recess on both sides" },
  "usage": { retry: false, hint: "" },
  "wrong-key": { retry: false, hint: "somebody else may be at that address" },
} as const satisfies Record<string, FailureRow>;

/** The name of one kind of failure. */
export type FailureCode = keyof typeof FAILURES;

/** What a failure carries besides its code and message. */
export interface FailureOptions {
  /** The error that caused this one. `--debug` shows it. */
  readonly cause?: unknown | undefined;
  /** Replaces the hint of the table where the caller knows a better one. */
  readonly hint?: string | undefined;
  /** A value that would have been accepted, such as a free name. */
  readonly suggestion?: string | undefined;
  /**
   * Whether the other side reported the failure. It then says something about the other side only.
   */
  readonly remote?: boolean | undefined;
}

/** The failure as it travels: the fields of an `ERROR` reply. */
export interface WireFailure {
  readonly code: string;
  readonly message: string;
  readonly retry: boolean;
  readonly hint?: string | undefined;
  readonly suggestion?: string | undefined;
}

/** An expected failure. Messages follow the grammar "Cannot X: state", without a full stop. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly code: FailureCode;
  readonly hint: string;
  readonly suggestion: string | undefined;
  /** Whether the other side reported the failure: its full disk is not ours. */
  readonly remote: boolean;

  constructor(code: FailureCode, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint ?? FAILURES[code].hint;
    this.suggestion = options.suggestion;
    this.remote = options.remote ?? false;
  }

  /** Whether the same request may succeed later, unchanged. */
  get retry(): boolean {
    return FAILURES[this.code].retry;
  }

  /**
   * The same failure in other words.
   *
   * @param words Each word that is left out stays as it is.
   */
  with(words: { readonly message?: string | undefined; readonly hint?: string | undefined }): Failure {
    const { message = this.message, hint = this.hint } = words;
    const { suggestion, remote, cause = this } = this;
    return new Failure(this.code, message, { hint, suggestion, remote, cause });
  }

  /** The fields of the `ERROR` reply that reports the failure to the other side. */
  toWire(): WireFailure {
    // The paths of our disk are no concern of the other side.
    if (this.code === "disk-full" && !this.remote) return FULL_HERE;
    return {
      code: this.code,
      message: this.message,
      retry: this.retry,
      hint: this.hint === FAILURES[this.code].hint ? undefined : this.hint,
      suggestion: this.suggestion,
    };
  }

  /**
   * The failure that the other side reported. An unknown code comes from a newer version and
   * becomes "internal" or "busy" by its `retry`.
   */
  static fromWire(wire: WireFailure): Failure {
    const code = isFailureCode(wire.code) ? wire.code : wire.retry ? "busy" : "internal";
    const { suggestion } = wire;
    // The table's hint is for the owner of the program with the bug.
    const hint = wire.hint ?? (code === "internal" ? "this is a bug at the other side: tell its owner" : undefined);
    return new Failure(code, wire.message, {
      remote: true,
      hint,
      suggestion,
    });
  }

  /**
   * Turns whatever was thrown into a failure. Failures pass through. An error of the platform
   * becomes one with `code`, and its message begins with `doing`. Where the platform's error says
   * more (no access, no space), its code replaces `code`.
   */
  static from(thrown: unknown, code: FailureCode, doing: string): Failure {
    if (thrown instanceof Failure) return thrown;
    const text = thrown instanceof Error ? plainReason(thrown) : String(thrown);
    return new Failure(codeOfPlatform(thrown) ?? code, `${doing}: ${text}`, { cause: thrown });
  }
}

/** A full disk of ours, as the other side hears of it. */
const FULL_HERE: WireFailure = {
  code: "disk-full",
  message: "The disk of the other side is full",
  retry: true,
  hint: "ask its owner to make room",
};

/** Whether `thrown` is a failure with one of these codes. */
export function failedWith<C extends FailureCode>(
  thrown: unknown,
  ...codes: C[]
): thrown is Failure & { readonly code: C } {
  return thrown instanceof Failure && codes.some((code) => code === thrown.code);
}

function isFailureCode(code: string): code is FailureCode {
  return Object.hasOwn(FAILURES, code);
}

/**
 * ENOSPC and EDQUOT, or their counterparts on Windows. On other systems these numbers mean
 * something else.
 */
const DISK_FULL = Deno.build.os === "windows" ? /os error (39|112)\b|ENOSPC/ : /os error (28|122)\b|ENOSPC|EDQUOT/;
/** EROFS, or on Windows a write-protected disk. */
const READ_ONLY = Deno.build.os === "windows" ? /os error 19\b/ : /os error 30\b|EROFS/;

/** The code that the platform's own error decides, whatever the program was doing. */
function codeOfPlatform(thrown: unknown): FailureCode | undefined {
  if (thrown instanceof Deno.errors.PermissionDenied || thrown instanceof Deno.errors.NotCapable) {
    return "no-access";
  }
  if (!(thrown instanceof Error)) return undefined;
  if (DISK_FULL.test(thrown.message)) return "disk-full";
  return READ_ONLY.test(thrown.message) ? "no-access" : undefined;
}

/**
 * The platform's reason without its number and full stop: `Connection refused (os error 111)` →
 * `connection refused`.
 */
function plainReason(error: Error): string {
  const reason = error.message.replace(/ \(os error \d+\).*$/, "").trim().replace(/\.$/, "");
  if (reason === "") return error.name;
  // Deno's advice there is to drop all permissions.
  if (error instanceof Deno.errors.NotCapable && /^Requires all access/.test(reason)) {
    return "Deno lets no program into this part of the system";
  }
  return /^[A-Z][a-z]/.test(reason) ? reason.charAt(0).toLowerCase() + reason.slice(1) : reason;
}
