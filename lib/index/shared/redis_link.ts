/**
 * The way to Redis, one server or a cluster: sends commands and scripts, and gives each a deadline. Called by the other redis_*.ts.
 *
 * The client is a package, and opened only here, by a name that is no part of the module graph: an index without Redis opens none of it.
 * @module
 */

import { Buffer } from "node:buffer";
import { settlesWithin } from "../../core/flow/clock.ts";
import { Failure } from "../../core/failure.ts";
import { REDIS_COMMANDS_MAX, REDIS_RECONNECT_MS_MAX, REDIS_WAIT_MS } from "../../core/limits.ts";
import type { Script } from "./redis_scripts.ts";

/** As deno.json has it; written out, so that the bundle finds it, too. */
export const CLIENT = "npm:@redis/client@5.12.1";

/** What a command is made of. */
export type RedisArgument = string | Uint8Array;
/** A reply of the protocol: strings of any bytes come as bytes, words such as OK as text. */
export type Reply = null | number | string | Uint8Array | readonly Reply[];

/** Where Redis is. */
export interface RedisPlace {
  /** One URL; or several, of nodes of one cluster. */
  readonly urls: readonly string[];
  /** What all keys begin with: several rooms can share one Redis. */
  readonly namespace: string;
}

/** The part of the package's clients that is used; `key` decides to which node of a cluster a command goes. */
interface Client {
  send(key: string, args: RedisArgument[]): Promise<Reply>;
  destroy(): void;
}

/** Reads `redis://HOST:PORT[/DATABASE][#NAMESPACE]`, or several of them with commas between. Fails: "usage". */
export function parseRedisPlace(text: string): RedisPlace {
  const urls = text.split(",").map((each) => URL.parse(each.trim()));
  const namespaces = new Set<string>();
  const plain = urls.map((url) => {
    if (url === null || !["redis:", "rediss:"].includes(url.protocol) || url.hostname === "") {
      throw new Failure("usage", "Cannot read the value of --redis: it is not like redis://HOST:PORT", {
        hint: "rediss:// is encrypted; the URLs of a cluster's nodes go with commas between",
      });
    }
    if (url.hash.length > 1) namespaces.add(decodeURIComponent(url.hash.slice(1)));
    url.hash = "";
    return url.href;
  });
  const [namespace = "recess", ...others] = namespaces;
  if (others.length > 0 || /[{}]/.test(namespace)) {
    throw new Failure(
      "usage",
      "Cannot read the value of --redis: after # stands one name for all keys, without braces",
    );
  }
  return { urls: plain, namespace };
}

/** An open way to Redis, which is found again by itself when it was lost. */
export class RedisLink implements Disposable {
  readonly #client: Client;
  #closed = false;

  private constructor(client: Client) {
    this.#client = client;
  }

  /** Connects. Fails: "unreachable". */
  static async open(place: RedisPlace): Promise<RedisLink> {
    return new RedisLink(await connect(place));
  }

  /**
   * Runs a command on one key, by which a cluster knows where it belongs. Fails: "timeout", "unreachable"; whether it was carried out is not
   * known then; "malformed" when the key holds another kind of value.
   */
  async send(command: string, key: string, ...rest: RedisArgument[]): Promise<Reply> {
    return await this.sendTo(key, [command, key, ...rest]);
  }

  /** Runs a command in which the key stands elsewhere. Fails: as `send` does. */
  async sendTo(key: string, args: RedisArgument[]): Promise<Reply> {
    return await this.#bounded(this.#client.send(key, args));
  }

  /** Runs a script, all of whose keys have the same hash tag. Fails: as `send` does. */
  async run(script: Script, keys: readonly [string, ...string[]], args: readonly RedisArgument[]): Promise<Reply> {
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await this.sendTo(keys[0], ["EVALSHA", script.sha, ...rest]);
    } catch (thrown) {
      if (!(thrown instanceof Failure && String(thrown.cause).includes("NOSCRIPT"))) throw thrown;
      return await this.sendTo(keys[0], ["EVAL", script.source, ...rest]);
    }
  }

  [Symbol.dispose](): void {
    // A client that has ended does not take it well to be ended.
    if (!this.#closed) this.#client.destroy();
    this.#closed = true;
  }

  async #bounded(reply: Promise<Reply>): Promise<Reply> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Failure("timeout", "Cannot reach Redis: it does not answer")), REDIS_WAIT_MS);
    });
    try {
      return await Promise.race([reply, late]);
    } catch (thrown) {
      // Older ones say so in the middle of what they say of the script.
      const isWrong = thrown instanceof Error && thrown.message.includes("WRONGTYPE");
      throw Failure.from(thrown, isWrong ? "malformed" : "unreachable", "Cannot reach Redis");
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A reply as text. Fails: "malformed" when it is none. */
export function textOf(reply: Reply | undefined): string {
  if (typeof reply === "string") return reply;
  if (reply instanceof Uint8Array) return new TextDecoder().decode(reply);
  if (typeof reply === "number") return String(reply);
  throw new Failure("malformed", "Cannot read what Redis says: no text where text is expected");
}

/** The parts of a reply. */
export function listOf(reply: Reply | undefined): readonly Reply[] {
  return Array.isArray(reply) ? reply : [];
}

async function connect({ urls }: RedisPlace): Promise<Client> {
  const { createClient, createCluster, RESP_TYPES } = await loadClient();
  const options = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };
  const bounds = {
    // What cannot be asked now fails now: nothing is done much later that nobody waits for any more.
    disableOfflineQueue: true,
    commandsQueueMaxLength: REDIS_COMMANDS_MAX,
    socket: {
      connectTimeout: REDIS_WAIT_MS,
      reconnectStrategy: (retries: number) => Math.min(20 * 2 ** Math.min(retries, 10), REDIS_RECONNECT_MS_MAX),
    },
  };
  const [url = "", ...others] = urls;
  if (others.length > 0) {
    const cluster = createCluster({ rootNodes: urls.map((each) => ({ url: each })), defaults: bounds });
    await firstConnected(cluster, urls);
    return {
      send: (key, args) => cluster.sendCommand<Reply>(key, false, args.map(buffer), options),
      destroy: () => cluster.destroy(),
    };
  }
  const client = createClient({ url, ...bounds });
  await firstConnected(client, urls);
  return {
    send: (_, args) => client.sendCommand<Reply>(args.map(buffer), options),
    destroy: () => client.destroy(),
  };
}

async function loadClient(): Promise<typeof import("@redis/client")> {
  try {
    return await import(CLIENT);
  } catch (thrown) {
    throw new Failure("unsupported", "Cannot share over Redis: its client cannot be loaded", {
      cause: thrown,
      hint: "the first start with --redis downloads it, so the npm registry has to be within reach",
    });
  }
}

/** The part of a client that matters while it connects. */
interface Connecting {
  on(event: "error", listener: (error: Error) => void): unknown;
  connect(): Promise<unknown>;
  destroy(): void;
}

/** Connects for the first time. Later the client does so by itself, and whoever sends a command sees that it is away. */
async function firstConnected(client: Connecting, urls: readonly string[]): Promise<void> {
  let last: unknown = new Error("it does not answer");
  // The event has to be heard by somebody, or it ends the program.
  client.on("error", (error) => last = error);
  const connecting = client.connect();
  connecting.catch((thrown) => last = thrown);
  if (await settlesWithin(REDIS_WAIT_MS, connecting) && await connecting.then(() => true, () => false)) return;
  client.destroy();
  throw new Failure("unreachable", `Cannot reach Redis at ${urls.map(withoutPassword).join(", ")}: ${reasonOf(last)}`, {
    cause: last,
    hint: "start it, or name another with --redis",
  });
}

function reasonOf(error: unknown): string {
  return error instanceof Error && error.message !== "" ? error.message : String(error);
}

function withoutPassword(url: string): string {
  const shown = new URL(url);
  shown.password = "";
  return shown.href;
}

function buffer(argument: RedisArgument): string | Buffer {
  if (typeof argument === "string") return argument;
  return Buffer.from(argument.buffer, argument.byteOffset, argument.byteLength);
}
