import { assertEquals } from "@std/assert";
import { refOf, sourceOf } from "../../../../lib/peer/find/peer_refs.ts";

const ROW = { name: "ana", id: "ab".repeat(32), certificate: "cd", host: "10.0.0.5", plain: false, files: 3, bytes: 9 };

Deno.test("refOf() keeps what others need to connect to a listed peer", () => {
  const ref = { name: "ana", id: ROW.id, host: "10.0.0.5", port: 7000, plain: false };
  assertEquals(refOf({ ...ROW, port: 7000 }), ref);
  assertEquals(refOf({ ...ROW, port: 7000, dialect: "json" }), { ...ref, dialect: "json" });
});

Deno.test("refOf() returns nothing for a peer without an open port", () => {
  assertEquals(refOf(ROW), undefined);
});

Deno.test("sourceOf() names the wanted file, or none for a connection that is about no file", () => {
  const ref = { name: "ana", id: ROW.id, host: "10.0.0.5", port: 7000, plain: true };
  const source = { peer: "ana", id: ROW.id, address: { host: "10.0.0.5", port: 7000 }, plain: true };
  assertEquals(sourceOf(ref, "film.mp4"), { ...source, name: "film.mp4" });
  assertEquals(sourceOf(ref), { ...source, name: "" });
});
