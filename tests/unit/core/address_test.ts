import { assertEquals, assertThrows } from "@std/assert";
import { addressOf, formatAddress, isLoopback, parseAddress, parsePort } from "../../../lib/core/address.ts";
import { Failure } from "../../../lib/core/failure.ts";

Deno.test("parseAddress() and formatAddress() are each other's inverse", () => {
  const cases: [string, string, number][] = [
    ["10.0.0.5:1099", "10.0.0.5", 1099],
    ["[::1]:1099", "::1", 1099],
    ["[fe80::1]:0", "fe80::1", 0],
    ["lab-7.example:80", "lab-7.example", 80],
  ];
  for (const [text, host, port] of cases) {
    assertEquals(parseAddress(text, { defaultPort: 1 }), { host, port });
    assertEquals(formatAddress({ host, port }), text);
  }
});

Deno.test("parseAddress() gives the default port when there is none", () => {
  for (
    const [text, host] of [["localhost", "localhost"], ["::1", "::1"], ["[::1]", "::1"], ["fe80::a:1", "fe80::a:1"]]
  ) {
    assertEquals(parseAddress(text ?? "", { defaultPort: 1099 }), { host: host ?? "", port: 1099 });
  }
});

Deno.test("parseAddress() refuses what is no address", () => {
  for (
    const text of [
      "",
      ":1099",
      "a b:1",
      "host:99999",
      "host:-1",
      "[::1",
      "host:port",
      "a:1:b",
      "::bad::",
      "[::bad::]:1",
      "1:2:3",
    ]
  ) {
    assertEquals(assertThrows(() => parseAddress(text, { defaultPort: 1 }), Failure).code, "usage", text);
  }
});

Deno.test("parsePort() takes 0 to 65535", () => {
  assertEquals([parsePort("0"), parsePort("65535")], [0, 65_535]);
  for (const text of ["", "65536", "-1", "1.5", "0x10", "banana"]) assertThrows(() => parsePort(text), Failure);
});

Deno.test("addressOf() gives IPv4 addresses of a listener for both families as IPv4", () => {
  assertEquals(addressOf({ transport: "tcp", hostname: "::ffff:10.0.0.5", port: 7 }), { host: "10.0.0.5", port: 7 });
  assertEquals(addressOf({ transport: "tcp", hostname: "::1", port: 7 }).host, "::1");
});

Deno.test("isLoopback() knows both families", () => {
  assertEquals(["127.0.0.1", "127.9.9.9", "::1", "10.0.0.1", "::2"].map(isLoopback), [true, true, true, false, false]);
});
