import { assert, assertEquals } from "@std/assert";
import { failedWith, Failure, type FailureCode, FAILURES } from "../../../lib/core/failure.ts";

Deno.test("Failure.fromWire() reads every code that toWire() writes", () => {
  for (const code of Object.keys(FAILURES) as FailureCode[]) {
    if (code === "disk-full") continue;
    const back = Failure.fromWire(new Failure(code, "why", { suggestion: "ana-2" }).toWire());
    assertEquals([back.code, back.message, back.suggestion], [code, "why", "ana-2"]);
    // The hint depends on the program that has the bug.
    const hint = code === "internal" ? "this is a bug at the other side: tell its owner" : FAILURES[code].hint;
    assertEquals(back.hint, hint);
  }
});

Deno.test("a full disk is reported to the other side without its path", () => {
  const full = Failure.fromWire(new Failure("disk-full", 'Cannot write "/home/ana": full').toWire());
  assertEquals([full.code, full.remote], ["disk-full", true]);
  assertEquals([full.message, full.hint], ["The disk of the other side is full", "ask its owner to make room"]);
});

Deno.test("Failure.fromWire() takes a code of a newer version by whether it may be retried", () => {
  assertEquals(Failure.fromWire({ code: "brand-new", message: "m", retry: true }).code, "busy");
  assertEquals(Failure.fromWire({ code: "__proto__", message: "m", retry: false }).code, "internal");
});

Deno.test("Failure.from() keeps failures and says the platform's reason", () => {
  const failure = new Failure("busy", "full");
  assertEquals(Failure.from(failure, "closed", "Cannot send"), failure);
  const refused = Failure.from(
    new Deno.errors.ConnectionRefused("Connection refused (os error 111)"),
    "unreachable",
    "Cannot reach 10.0.0.5:1099",
  );
  assertEquals([refused.code, refused.message], ["unreachable", "Cannot reach 10.0.0.5:1099: connection refused"]);
  const onWindows = new Error("Connection refused. (os error 10061)");
  assertEquals(
    Failure.from(onWindows, "unreachable", "Cannot reach it").message,
    "Cannot reach it: connection refused",
  );
  assertEquals(Failure.from(new Error("No space left on device (os error 28)"), "closed", "x").code, "disk-full");
  assertEquals(Failure.from(new Deno.errors.PermissionDenied("p"), "closed", "x").code, "no-access");
  const system = new Deno.errors.NotCapable('Requires all access to "/proc/x", run again with the --allow-all flag');
  assertEquals(
    Failure.from(system, "not-found", "Cannot share it").message,
    "Cannot share it: Deno lets no program into this part of the system",
  );
});

Deno.test("failedWith() tells codes apart", () => {
  assert(failedWith(new Failure("busy", ""), "closed", "busy"));
  assert(!failedWith(new Failure("busy", ""), "closed"));
  assert(!failedWith(new Error("busy"), "busy"));
});

Deno.test("Failure.with() changes the words and keeps everything else", () => {
  const cause = new Error("below");
  const failure = new Failure("name-taken", "why", { suggestion: "ana-2", remote: true, cause });
  const other = failure.with({ hint: "what to do" });
  assertEquals([other.code, other.message, other.hint], ["name-taken", "why", "what to do"]);
  assertEquals([other.suggestion, other.remote, other.cause], ["ana-2", true, cause]);
  assertEquals(failure.with({ message: "in other words" }).hint, failure.hint);
  assertEquals(failure.with({ hint: "" }).hint, "");
});
