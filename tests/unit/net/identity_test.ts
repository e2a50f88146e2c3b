/**
 * Certificates, identities, room keys and proofs: what is accepted, and everything like it that is
 * not.
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { Failure } from "../../../lib/core/failure.ts";
import { bytesInPem, hostOf, makeCertificate, pemOf, verify } from "../../../lib/net/certificate.ts";
import { WrongGuesses } from "../../../lib/net/wrong_guesses.ts";
import { Identity, identityOf } from "../../../lib/net/identity.ts";
import { checkProof, prove } from "../../../lib/net/proof.ts";
import { RoomKey } from "../../../lib/net/room_key.ts";
import { testWith } from "../../support/components.ts";
import { TempFolder } from "../../support/temp.ts";

async function openssl(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("openssl", { args }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

async function isRefused(certificate: Uint8Array): Promise<void> {
  assertEquals((await assertRejects(() => identityOf(certificate), Failure)).code, "wrong-key");
}

/** The certificate of a key with some bytes replaced, signed again by the same key. */
async function altered(identity: Identity, from: string, to: string): Promise<Uint8Array> {
  const text = String.fromCharCode(...identity.certificate);
  assert(text.includes(from) && from.length === to.length);
  const bytes = Uint8Array.from(text.replaceAll(from, to), (character) => character.charCodeAt(0));
  // SEQUENCE { body, algorithm, signature }: the body follows the outer header of four bytes.
  const length = 4 + ((bytes[6] ?? 0) << 8 | (bytes[7] ?? 0));
  const body = bytes.slice(4, 4 + length);
  bytes.set(await identity.sign(body), bytes.length - 64);
  return bytes;
}

testWith(
  "openssl",
  ["version"],
  "a certificate is what openssl calls one: version 3, CA:FALSE, Ed25519, its own name",
  async () => {
    await using temp = await TempFolder.make();
    const identity = await Identity.make();
    const path = temp.at("identity.pem");
    await Deno.writeTextFile(path, identity.certificatePem);
    const text = await openssl("x509", "-in", path, "-noout", "-text");
    for (
      const part of [
        "Version: 3 (0x2)",
        "CA:FALSE",
        "ED25519",
        `DNS:${identity.host}`,
        "Not Before: Jan  1 00:00:00 1970 GMT",
        "Not After : Dec 31 23:59:59 9999 GMT",
      ]
    ) {
      assertStringIncludes(text, part);
    }
    assertStringIncludes(await openssl("verify", "-CAfile", path, "-purpose", "sslserver", path), ": OK");
    await Deno.writeTextFile(temp.at("key.pem"), identity.keyPem);
    const publicKey = await openssl("pkey", "-in", temp.at("key.pem"), "-pubout");
    assertEquals(publicKey, await openssl("x509", "-in", path, "-noout", "-pubkey"));
    assertMatch(identity.id, /^[0-9a-f]{64}$/);
    const fingerprint = await openssl("x509", "-in", path, "-noout", "-fingerprint", "-sha256");
    assertEquals(fingerprint.trim().split("=")[1]?.replaceAll(":", "").toLowerCase(), identity.id);
  },
);

Deno.test("Identity is read back from its file, and a damaged file is not replaced", async () => {
  const identity = await Identity.make();
  const again = await Identity.fromPem(identity.toPem());
  assertEquals([again.id, again.host], [identity.id, hostOf(identity.publicKey)]);
  for (
    const text of [
      "",
      "nonsense",
      identity.toPem().replace("PRIVATE", "PUBLIC"),
      pemOf("PRIVATE KEY", new Uint8Array(9)),
    ]
  ) {
    assertEquals((await assertRejects(() => Identity.fromPem(text), Failure)).code, "no-access");
  }
  assertNotEquals((await Identity.make()).id, identity.id);
});

Deno.test("a certificate that is not ours to the byte is refused, whichever byte it is", async () => {
  const { certificate } = await Identity.make();
  assertEquals((await identityOf(certificate)).certificate, certificate);
  for (let at = 0; at < certificate.length; at++) {
    const damaged = certificate.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    await isRefused(damaged);
  }
  for (const wrong of [new Uint8Array(0), certificate.slice(0, -1), new Uint8Array([...certificate, 0])]) {
    await isRefused(wrong);
  }
});

Deno.test("certificates with other dates, names or powers are refused, although their key is right", async () => {
  const identity = await Identity.make();
  assertEquals(await altered(identity, "99991231235959Z", "99991231235959Z"), identity.certificate);
  await isRefused(await altered(identity, "99991231235959Z", "20210101000000Z"));
  await isRefused(await altered(identity, identity.host, `${"0".repeat(32)}.peer`));
  await isRefused(await altered(identity, "\x04\x02\x30\x00", "\x04\x02\x30\x01"));
});

Deno.test("a key of small order, which needs no secret, is refused in each of its encodings", async () => {
  const prime = 2n ** 255n - 19n;
  const eighth = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;
  const small = [0n, 1n, prime - 1n, eighth, prime - eighth];
  const others = [prime, prime + 1n, prime + 5n, 2n ** 255n - 1n];
  const written = [...small, ...others].flatMap((y) => [y, y | 2n ** 255n]);
  let forged = 0;
  for (const y of written) {
    const key = Uint8Array.fromHex(y.toString(16).padStart(64, "0")).toReversed() as Uint8Array<ArrayBuffer>;
    // R is the neutral point and S is zero: for the neutral point as the key this fits whatever is
    // signed.
    const signature = new Uint8Array(64);
    signature[0] = 1;
    const certificate = await makeCertificate(key, () => Promise.resolve(signature));
    if (await verify(key, signature, new TextEncoder().encode("anything"))) forged += 1;
    await isRefused(certificate);
  }
  assert(forged > 0, "the platform refuses such keys by itself: the list is not needed any more");
  for (let round = 0; round < 20; round++) await identityOf((await Identity.make()).certificate);
});

testWith(
  "openssl",
  ["version"],
  "a forged certificate that carries a victim's public key is refused, version 1 or 3",
  async () => {
    await using temp = await TempFolder.make();
    const victim = await Identity.make();
    const attacker = await Identity.make();
    const at = (name: string): string => temp.at(name);
    await Deno.writeTextFile(at("attacker.key"), attacker.keyPem);
    await Deno.writeTextFile(at("victim.crt"), victim.certificatePem);
    await Deno.writeTextFile(at("victim.pub"), await openssl("x509", "-in", at("victim.crt"), "-noout", "-pubkey"));
    await openssl("req", "-new", "-key", at("attacker.key"), "-subj", `/CN=${victim.host}`, "-out", at("request"));
    const forge = [
      "x509",
      "-req",
      "-in",
      at("request"),
      "-force_pubkey",
      at("victim.pub"),
      "-signkey",
      at("attacker.key"),
    ];
    await Deno.writeTextFile(
      at("extensions"),
      `subjectAltName=DNS:${victim.host}\nbasicConstraints=critical,CA:FALSE\n`,
    );
    await openssl(...forge, "-out", at("v1.crt"));
    await openssl(...forge, "-extfile", at("extensions"), "-out", at("v3.crt"));
    assertStringIncludes(await openssl("x509", "-in", at("v1.crt"), "-noout", "-text"), "Version: 1");
    for (const name of ["v1.crt", "v3.crt"]) {
      const forged = bytesInPem("CERTIFICATE", await Deno.readTextFile(at(name)));
      assert(forged !== undefined);
      await isRefused(forged);
    }
  },
);

Deno.test("a proof is good for its connection, its caller and the program called, and for nothing else", async () => {
  const [caller, thief] = [await Identity.make(), await Identity.make()];
  const channel = {
    asked: "aa".repeat(32),
    asking: "bb".repeat(32),
    called: "index",
    calledId: "cc".repeat(32),
  } as const;
  const proof = await prove(channel, caller, undefined);
  assertEquals((await checkProof(proof, channel, undefined)).id, caller.id);
  const others = [
    { ...channel, asked: "dd".repeat(32) },
    { ...channel, asking: "dd".repeat(32) },
    { ...channel, called: "peer" } as const,
    { ...channel, calledId: "dd".repeat(32) },
    { ...channel, calledId: "" },
  ];
  for (const other of others) {
    assertEquals((await assertRejects(() => checkProof(proof, other, undefined), Failure)).code, "wrong-key");
  }
  // The victim's certificate with a signature by the thief's key.
  const stolen = { ...await prove(channel, thief, undefined), certificate: caller.certificate.toHex() };
  assertEquals((await assertRejects(() => checkProof(stolen, channel, undefined), Failure)).code, "wrong-key");
});

Deno.test("a proof signs the text in lib/protocol/README.md", async () => {
  const caller = await Identity.make();
  const [asked, asking, calledId] = ["aa", "bb", "cc"].map((each) => each.repeat(32));
  const channel = { asked: asked ?? "", asking: asking ?? "", called: "peer", calledId: calledId ?? "" } as const;
  const { signature } = await prove(channel, caller, undefined);
  const key = await crypto.subtle.importKey("raw", caller.publicKey, "Ed25519", true, ["verify"]);
  const text = new TextEncoder().encode(`recess proof 2 ${asked} ${asking} peer ${calledId}`);
  assert(await crypto.subtle.verify("Ed25519", key, Uint8Array.fromHex(signature), text));
});

Deno.test("a room key is proven without being sent, and every other key is noticed", async () => {
  const caller = await Identity.make();
  const channel = { asked: "aa".repeat(32), asking: "bb".repeat(32), called: "index", calledId: "" } as const;
  const [key, other] = [RoomKey.parse(RoomKey.makeText()), RoomKey.parse(RoomKey.makeText())];
  const proof = await prove(channel, caller, key);
  assertEquals((await checkProof(proof, channel, key)).id, caller.id);
  for (const wrong of [await prove(channel, caller, other), await prove(channel, caller, undefined)]) {
    assertEquals((await assertRejects(() => checkProof(wrong, channel, key), Failure)).code, "no-member");
  }
  const replayed = {
    ...await prove({ ...channel, asked: "dd".repeat(32) }, caller, undefined),
    member: proof.member ?? "",
  };
  assertEquals(
    (await assertRejects(() => checkProof(replayed, { ...channel, asked: "dd".repeat(32) }, key), Failure)).code,
    "no-member",
  );
});

Deno.test("a room key is read however it is written, and gives everybody the same index identity", async () => {
  const text = RoomKey.makeText();
  assertMatch(text, /^([0-9a-f]{4}-){7}[0-9a-f]{4}$/);
  assertNotEquals(RoomKey.makeText(), text);
  const ways = [text, text.toUpperCase(), text.replaceAll("-", " ") + "\n"];
  const ids = await Promise.all(ways.map(async (way) => (await RoomKey.parse(way).room()).identity.id));
  assertEquals(new Set(ids).size, 1);
  for (const wrong of ["", "secret", text.slice(1), `${text}0`]) {
    assertEquals(assertThrows(() => RoomKey.parse(wrong), Failure).code, "usage");
  }
});

Deno.test("WrongGuesses makes each further guess from the same address wait longer", async () => {
  let nowMs = 0;
  const waited: number[] = [];
  const guesses = new WrongGuesses({
    now: () => nowMs,
    delay: (ms) => {
      waited.push(ms);
      nowMs += ms;
      return Promise.resolve();
    },
  });
  for (let guess = 0; guess < 8; guess++) {
    await guesses.wait("10.0.0.1");
    guesses.note("10.0.0.1");
    await guesses.wait("10.0.0.2");
  }
  assertEquals(waited.length, 7);
  assert(waited.every((ms, index) => index === 0 || ms >= (waited[index - 1] ?? 0)), String(waited));
  assert((waited.at(-1) ?? 0) >= 5_000);
});

Deno.test("a room key that can be guessed is weak, and a random one never is", () => {
  for (
    const weak of [
      "0".repeat(32),
      "0123456789abcdef".repeat(2),
      "deadbeef".repeat(4),
      "fedcba9876543210".repeat(2),
      "01".repeat(16),
    ]
  ) {
    assertEquals(RoomKey.parse(weak).isWeak, true, weak);
  }
  for (let made = 0; made < 1000; made++) assertEquals(RoomKey.parse(RoomKey.makeText()).isWeak, false);
});
