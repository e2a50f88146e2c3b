/**
 * A real Redis for tests: one server, or a cluster of three, on free ports of loopback, without a
 * disk, ended with the test.
 * @module
 */

import { TempFolder } from "./temp.ts";
import { eventually } from "./wait.ts";

/** A running Redis. */
export interface RunningRedis extends AsyncDisposable {
  /** The value of `--redis` for it. */
  readonly url: string;
  /** Every key there is. */
  keys(): Promise<string[]>;
}

/** A running Redis of one server. */
export interface RunningRedisServer extends RunningRedis {
  readonly port: number;
  /**
   * Runs one command with redis-cli.
   *
   * @returns What it prints.
   */
  command(...args: string[]): Promise<string>;
  /** Ends it at once, as a machine that fails would. */
  kill(): Promise<void>;
}

/** Starts a server, empty, at a free port or at one where one was before. */
export async function startRedis(options: { readonly port?: number; readonly args?: readonly string[] } = {}): Promise<
  RunningRedisServer
> {
  const port = options.port ?? freePort();
  const folder = await TempFolder.make();
  const args = [
    "--port",
    String(port),
    "--bind",
    "127.0.0.1",
    "--save",
    "",
    "--appendonly",
    "no",
    "--dir",
    folder.path,
  ];
  const child = new Deno.Command("redis-server", {
    args: [...args, ...options.args ?? []],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const command = (...words: string[]): Promise<string> => run(["-p", String(port), ...words]);
  const kill = async (): Promise<void> => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await child.status;
  };
  await eventually(`redis-server at ${port}`, async () => (await command("PING")).startsWith("PONG"));
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    keys: async () => (await command("KEYS", "*")).split("\n").filter((key) => key !== ""),
    command,
    kill,
    async [Symbol.asyncDispose]() {
      await kill();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Starts three servers that share all keys among them. */
export async function startRedisCluster(): Promise<RunningRedis> {
  await using stack = new AsyncDisposableStack();
  const nodes: RunningRedisServer[] = [];
  while (nodes.length < 3) nodes.push(stack.use(await startRedis({ args: ["--cluster-enabled", "yes"] })));
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  await run(["--cluster", "create", ...addresses, "--cluster-yes"]);
  for (const node of nodes) {
    await eventually("the cluster", async () => (await node.command("CLUSTER", "INFO")).includes("cluster_state:ok"));
  }
  const ending = stack.move();
  return {
    url: nodes.map(({ url }) => url).join(","),
    keys: async () => (await Promise.all(nodes.map((node) => node.keys()))).flat(),
    [Symbol.asyncDispose]: () => ending.disposeAsync(),
  };
}

async function run(args: readonly string[]): Promise<string> {
  const { stdout } = await new Deno.Command("redis-cli", { args: [...args], stderr: "null" }).output();
  return new TextDecoder().decode(stdout);
}

/**
 * Nodes of a cluster also listen ten thousand ports higher; both lie below those that a system
 * gives to outgoing connections.
 */
export function freePort(): number {
  while (true) {
    const port = 10_000 + Math.floor(Math.random() * 12_000);
    try {
      for (const each of [port, port + 10_000]) Deno.listen({ hostname: "127.0.0.1", port: each }).close();
      return port;
    } catch (thrown) {
      if (!(thrown instanceof Deno.errors.AddrInUse)) throw thrown;
    }
  }
}
