/**
 * Host and port, as people write them and as sockets report them: IPv4, IPv6 in brackets, and
 * names.
 * @module
 */

import { Failure } from "./failure.ts";

/** Where a listener is reached. An IPv6 host has no brackets here. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

const PORT_MAX = 65_535;

/** `10.0.0.5:1099`, `[::1]:1099`. */
export function formatAddress(address: Address): string {
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/**
 * Reads `HOST:PORT`, `[V6]:PORT` or `HOST`.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseAddress } from "./address.ts";
 * assertEquals(parseAddress("[::1]:1099", { defaultPort: 1 }), { host: "::1", port: 1099 });
 * ```
 *
 * @throws {Failure} "usage" when the text is none of these.
 */
export function parseAddress(text: string, options: { defaultPort: number }): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+))(?::(\d{1,5}))?$/.exec(text.trim());
  const ipv6 = match === null ? text.trim() : match[1];
  const host = ipv6 === undefined ? match?.[2] : URL.canParse(`http://[${ipv6}]`) ? ipv6 : undefined;
  if (host === undefined) {
    throw new Failure("usage", `Cannot read "${text}" as an address`, { hint: "write HOST:PORT, or [IPV6]:PORT" });
  }
  return { host, port: match?.[3] === undefined ? options.defaultPort : parsePort(match[3]) };
}

/**
 * Whether a text is an IP address and a port, as `formatAddress` writes them. A peer without
 * another name is called so.
 */
export function isAddress(text: string): boolean {
  return /^(?:\d+(?:\.\d+){3}|\[[^\]]*\]):\d{1,5}$/.test(text);
}

/**
 * Reads a port; 0 means any free one.
 *
 * @throws {Failure} "usage" when the text is no port.
 */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(port <= PORT_MAX)) {
    throw new Failure("usage", `Cannot use "${text}" as a port`, {
      hint: `a port is a number from 0 to ${PORT_MAX}`,
    });
  }
  return port;
}

/** The address of one end of a socket. */
export function addressOf(addr: Deno.Addr): Address {
  if (addr.transport !== "tcp" && addr.transport !== "udp") {
    throw new TypeError(`Cannot use a ${addr.transport} address`);
  }
  return { host: unmappedHost(addr.hostname), port: addr.port };
}

/**
 * A host as an address of its own family: a listener for both families reports IPv4 as IPv6
 * (`::ffff:10.0.0.5`).
 */
export function unmappedHost(host: string): string {
  return host.replace(/^::ffff:(?=\d+\.)/i, "");
}

/**
 * What counts as one address where places are shared: an IPv4 address, or the /64 of an IPv6
 * address. Every machine can use as many addresses of its /64 as it likes. IPv4 that is written as
 * IPv6 counts as IPv4.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { addressShare } from "./address.ts";
 * assertEquals(addressShare("2001:db8:0:1::7"), "2001:db8:0:1/64");
 * ```
 */
export function addressShare(host: string): string {
  if (!host.includes(":")) return host;
  const url = URL.parse(`http://[${host.replace(/%.*$/, "")}]`);
  if (url === null) return host;
  const [head = "", tail] = url.hostname.slice(1, -1).split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...Array.from({ length: zeros }, () => "0"), ...after];
  if (groups.slice(0, 5).every((group) => group === "0") && groups[5] === "ffff") {
    return groups.slice(6).flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]).join(".");
  }
  return `${groups.slice(0, 4).join(":")}/64`;
}

/** Whether a host is a loopback address of this machine. */
export function isLoopback(host: string): boolean {
  return host === "::1" || host.startsWith("127.");
}
