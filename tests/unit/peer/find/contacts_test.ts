import { assertEquals, assertRejects } from "@std/assert";
import { Failure } from "../../../../lib/core/failure.ts";
import { dial } from "../../../../lib/net/dial.ts";
import { Identity } from "../../../../lib/net/identity.ts";
import { Contacts } from "../../../../lib/peer/find/contacts.ts";
import type { PeerRow } from "../../../../lib/protocol/shapes.ts";

Deno.test("Contacts.connect() stops with its signal even when the peer never answers HELLO", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const contacts = new Contacts({
    dial,
    self: () => ({ name: "ana" }),
    plain: true,
    queries: { lookUp: () => Promise.resolve(undefined) },
    state: undefined,
  });
  const address = { host: "127.0.0.1", port: listener.addr.port };
  const source = { peer: "silent", id: "1d".repeat(32), address, plain: true, name: "a.mp4" };
  const stopping = new AbortController();
  const connecting = contacts.connect(source, stopping.signal);
  using accepted = await listener.accept();
  await accepted.read(new Uint8Array(1));
  stopping.abort(new Failure("cancelled", "The download is over"));
  await assertRejects(() => connecting, Failure, "The download is over");
});

Deno.test("Contacts.prepare() looks a key up, and connecting to its owner then needs no other look-up", async () => {
  const [ana, other] = [await Identity.make(), await Identity.make()];
  let identity = other;
  let lookUps = 0;
  const dialled: unknown[] = [];
  const lookUp = (name: string): Promise<PeerRow> => {
    lookUps += 1;
    const certificate = identity.certificate.toHex();
    return Promise.resolve({ name, id: ana.id, certificate, host: "127.0.0.1", plain: false, files: 0, bytes: 0 });
  };
  const contacts = new Contacts({
    dial: (_, { identity } = {}) => {
      dialled.push(identity?.id);
      return Promise.reject(new Failure("unreachable", "nobody is there"));
    },
    self: () => ({ name: "rui" }),
    plain: false,
    queries: { lookUp },
    state: undefined,
  });
  const source = { peer: "ana", id: ana.id, address: { host: "127.0.0.1", port: 1 }, plain: false, name: "a.mp4" };
  contacts.prepare(source);
  await new Promise((resolve) => setTimeout(resolve));
  identity = ana;
  await assertRejects(() => contacts.connect(source), Failure, "nobody is there");
  assertEquals([lookUps, dialled], [2, [ana.id]], "a wrong certificate is not kept");
  contacts.prepare(source);
  await assertRejects(() => contacts.connect(source), Failure, "nobody is there");
  assertEquals([lookUps, dialled], [2, [ana.id, ana.id]]);
});
