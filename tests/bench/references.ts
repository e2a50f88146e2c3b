/**
 * Other programs that send the same file, for comparison: nginx with and without TLS, sshd for scp,
 * rsync. Where one is not installed, there is nothing to compare with.
 * @module
 */

import { Identity } from "../../lib/net/identity.ts";
import type { TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

/** A server that runs, and where. */
export interface Reference extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
}

/** Where a server is to run. */
export interface Place {
  readonly host: string;
  /** A command that runs the server. */
  readonly within: readonly string[];
}

const HERE: Place = { host: "127.0.0.1", within: [] };

/** nginx on a folder: plain on `port`, TLS 1.3 on the port after it. */
export async function startNginx(temp: TempFolder, root: string, place = HERE): Promise<Reference | undefined> {
  const port = freePort();
  const folder = await temp.folder("nginx");
  // A key of its own kind of certificate would change nothing: the cipher is what costs.
  const identity = await Identity.make();
  await Deno.writeTextFile(`${folder}/cert.pem`, identity.certificatePem);
  await Deno.writeTextFile(`${folder}/key.pem`, identity.keyPem);
  const config = `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
    events {} http { access_log off; sendfile on; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
    fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
    server { listen ${place.host}:${port}; root ${root};
      listen ${place.host}:${port + 1} ssl; ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;
      ssl_protocols TLSv1.3; } }`;
  await Deno.writeTextFile(`${folder}/nginx.conf`, config);
  return await start("nginx", ["-p", folder, "-c", `${folder}/nginx.conf`], port, place);
}

/**
 * sshd with keys made for this once. The configuration for `scp -F` is `ssh_config` in the folder
 * `sshd`.
 */
export async function startSshd(temp: TempFolder): Promise<Reference | undefined> {
  const port = freePort();
  const folder = await temp.folder("sshd");
  try {
    for (const name of ["host", "user"]) {
      const args = ["-q", "-t", "ed25519", "-N", "", "-f", `${folder}/${name}`];
      await new Deno.Command("ssh-keygen", { args }).output();
    }
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return undefined;
    throw thrown;
  }
  await Deno.mkdir("/run/sshd", { recursive: true });
  await Deno.writeTextFile(
    `${folder}/sshd_config`,
    `Port ${port}\nListenAddress 127.0.0.1\nHostKey ${folder}/host\nAuthorizedKeysFile ${folder}/user.pub\n` +
      `StrictModes no\nPermitRootLogin yes\n` +
      `PidFile ${folder}/pid\nSubsystem sftp internal-sftp\nCiphers aes128-gcm@openssh.com\n`,
  );
  await Deno.writeTextFile(
    `${folder}/ssh_config`,
    `Host *\nPort ${port}\nIdentityFile ${folder}/user\nStrictHostKeyChecking no\nUserKnownHostsFile /dev/null\n` +
      `LogLevel ERROR\nCiphers aes128-gcm@openssh.com\n`,
  );
  return await start("/usr/sbin/sshd", ["-D", "-f", `${folder}/sshd_config`], port);
}

/** rsync's daemon, with one folder as its module `tree`. */
export async function startRsync(temp: TempFolder, folder: string, place = HERE): Promise<Reference | undefined> {
  const port = freePort();
  const config = temp.at("rsyncd.conf");
  await Deno.writeTextFile(config, `use chroot = no\nuid = 0\ngid = 0\n[tree]\npath = ${folder}\n`);
  const args = ["--daemon", "--no-detach", `--config=${config}`, `--port=${port}`, `--address=${place.host}`];
  return await start("rsync", args, port, place);
}

async function start(
  program: string,
  args: string[],
  port: number,
  { host, within }: Place = HERE,
): Promise<Reference | undefined> {
  const run = (...all: string[]): Deno.Command => {
    const [command = "", ...rest] = [...within, ...all];
    return new Deno.Command(command, { args: rest, stdout: "null", stderr: "null" });
  };
  await using stack = new AsyncDisposableStack();
  try {
    const child = run(program, ...args).spawn();
    let isEnded = false;
    const ended = child.status.then(() => isEnded = true);
    stack.defer(async () => {
      if (!isEnded) child.kill("SIGKILL");
      await ended;
    });
    await eventually(`${program} answers`, async () => {
      if (isEnded) throw new Error(`${program} ended at once`);
      return (await run("bash", "-c", `: < /dev/tcp/${host}/${port}`).output()).success;
    });
    const owned = stack.move();
    return { pid: child.pid, port, [Symbol.asyncDispose]: () => owned.disposeAsync() };
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return undefined;
    throw thrown;
  }
}

/** A port on which nobody listens now. */
export function freePort(): number {
  const socket = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = socket.addr as Deno.NetAddr;
  socket.close();
  return port;
}
