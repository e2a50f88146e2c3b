import { assertEquals, assertRejects } from "@std/assert";
import { REGISTRATIONS_PER_ADDRESS_MAX } from "../../../../lib/core/limits.ts";
import { Registrars } from "../../../../lib/server/http/registrars.ts";
import { eventually } from "../../../support/wait.ts";

Deno.test("Registrars does not count an expired name for its address", async () => {
  using registrars = new Registrars();
  const take = (number: number): Promise<string> => {
    const register = (): Promise<string> => Promise.resolve(`token ${number}`);
    return registrars.register(`chat ${number}`, "10.0.0.5", 100, { register, remove: () => Promise.resolve() });
  };
  const refusal = (number: number): Promise<boolean> =>
    take(number).then(() => false, (thrown) => thrown.code === "busy");
  for (let number = 0; number < REGISTRATIONS_PER_ADDRESS_MAX; number++) {
    assertEquals(await take(number), `token ${number}`);
  }
  assertEquals(await refusal(1000), true);
  const failing = { register: () => Promise.reject(new Error("taken")), remove: () => Promise.resolve() };
  await assertRejects(() => registrars.register("x", "10.0.0.6", 100, failing), Error, "taken");
  await eventually("there is room", async () => !(await refusal(1000)));
});
