/**
 * The connection to Redis, one server or a cluster. Sends commands and scripts, each with a
 * deadline. Called by the other files of this folder.
 *
 * The client is a package. It is imported only here, by a name that is not part of the module
 * graph, so an index without Redis loads none of it.
 * @module
 */

import { Buffer } from "node:buffer";
import { settlesWithin } from "../../core/flow/clock.ts";
import { Failure } from "../../core/failure.ts";
import { REDIS_COMMANDS_MAX, REDIS_RECONNECT_MS_MAX, REDIS_WAIT_MS } from "../../core/limits.ts";
import type { Script } from "./redis_scripts.ts";

/** The name from deno.json, written out because a bundle has no import map. */
export const CLIENT = "npm:@redis/client@5.12.1";

/** A part of a command. */
export type RedisArgument = string | Uint8Array;
/** A reply. Strings arrive as bytes, and status words such as OK as text. */
export type Reply = null | number | string | Uint8Array | readonly Reply[];

/** Where Redis is, as `--redis` names it. */
export interface RedisPlace {
  /** One URL, or those of several nodes of one cluster. */
  readonly urls: readonly string[];
  /** The beginning of all keys, so that several rooms can share one Redis. */
  readonly namespace: string;
}

/**
 * The part of the package's clients that is used. `key` decides which node of a cluster gets a
 * command.
 */
interface Client {
  send(key: string, args: RedisArgument[]): Promise<Reply>;
  destroy(): void;
}

/**
 * Reads `redis://HOST:PORT[/DATABASE][#NAMESPACE]`, or several of them, separated by commas.
 *
 * @throws {Failure} "usage".
 */
export function parseRedisPlace(text: string): RedisPlace {
  const urls = text.split(",").map((each) => URL.parse(each.trim()));
  const namespaces = new Set<string>();
  const plain = urls.map((url) => {
    if (url === null || !["redis:", "rediss:"].includes(url.protocol) || url.hostname === "") {
      throw new Failure("usage", "Cannot read the value of --redis: it must look like redis://HOST:PORT", {
        hint: "rediss:// is encrypted; separate the URLs of a cluster's nodes by commas",
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
      "Cannot read the value of --redis: the part after # must be one name, without braces",
    );
  }
  return { urls: plain, namespace };
}

/** An open connection to Redis. A lost connection is opened again automatically. */
export class RedisLink implements Disposable {
  readonly #client: Client;
  #closed = false;

  private constructor(client: Client) {
    this.#client = client;
  }

  /**
   * Connects.
   *
   * @throws {Failure} "unreachable".
   */
  static async open(place: RedisPlace): Promise<RedisLink> {
    return new RedisLink(await connect(place));
  }

  /**
   * Runs a command on one key, which decides the node of a cluster.
   *
   * @throws {Failure} "timeout" and "unreachable", when Redis may or may not have carried out the
   * command; "malformed" when the key holds a value of another type.
   */
  async send(command: string, key: string, ...rest: RedisArgument[]): Promise<Reply> {
    return await this.sendTo(key, [command, key, ...rest]);
  }

  /** Like `send`, for a command with its key in another place than the first. */
  async sendTo(key: string, args: RedisArgument[]): Promise<Reply> {
    return await this.#bounded(this.#client.send(key, args));
  }

  /** Runs a script. All its keys have the same hash tag. Fails as `send` does. */
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
    // The client throws when it is destroyed twice.
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
      // Older versions of Redis report it in the middle of an error of the script.
      const isWrong = thrown instanceof Error && thrown.message.includes("WRONGTYPE");
      throw Failure.from(thrown, isWrong ? "malformed" : "unreachable", "Cannot reach Redis");
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * A reply as text.
 *
 * @throws {Failure} "malformed" when it is none.
 */
export function textOf(reply: Reply | undefined): string {
  if (typeof reply === "string") return reply;
  if (reply instanceof Uint8Array) return new TextDecoder().decode(reply);
  if (typeof reply === "number") return String(reply);
  throw new Failure("malformed", "Cannot read the reply of Redis: it should be text");
}

/** The parts of a reply that is a list, else none. */
export function listOf(reply: Reply | undefined): readonly Reply[] {
  return Array.isArray(reply) ? reply : [];
}

async function connect({ urls }: RedisPlace): Promise<Client> {
  const { createClient, createCluster, RESP_TYPES } = await loadClient();
  const options = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };
  const bounds = {
    // While Redis is unreachable, commands fail at once, so none is carried out when nobody waits
    // for it any more.
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

/** The part of a client that is used while it connects. */
interface Connecting {
  on(event: "error", listener: (error: Error) => void): unknown;
  connect(): Promise<unknown>;
  destroy(): void;
}

/**
 * Connects for the first time. Later the client reconnects by itself, and commands fail until it
 * has.
 */
async function firstConnected(client: Connecting, urls: readonly string[]): Promise<void> {
  let last: unknown = new Error("it does not answer");
  // Without a listener, this event would end the program.
  client.on("error", (error) => last = error);
  const connecting = client.connect();
  connecting.catch((thrown) => last = thrown);
  if (await settlesWithin(REDIS_WAIT_MS, connecting) && await connecting.then(() => true, () => false)) return;
  client.destroy();
  throw new Failure("unreachable", `Cannot reach Redis at ${urls.map(withoutPassword).join(", ")}: ${reasonOf(last)}`, {
    cause: last,
    hint: "start Redis, or name another address with --redis",
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
