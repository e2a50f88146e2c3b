import { assertRejects } from "@std/assert";
import { Failure } from "../../../../lib/core/failure.ts";
import { dial } from "../../../../lib/net/dial.ts";
import { Contacts } from "../../../../lib/peer/find/contacts.ts";

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
