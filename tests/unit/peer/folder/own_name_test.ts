import { assertEquals } from "@std/assert";
import { OwnName, type RenamedEvent } from "../../../../lib/peer/folder/own_name.ts";

Deno.test("OwnName accepts the suggestion of an index when it was made up, and reports that", () => {
  const events: RenamedEvent[] = [];
  const name = new OwnName("brave-otter", { isChosen: false, onEvent: (event) => events.push(event) });
  assertEquals([name.giveWay("brave-otter-2"), name.current], ["brave-otter-2", "brave-otter-2"]);
  assertEquals(events, [{ event: "renamed", from: "brave-otter", name: "brave-otter-2" }]);
});

Deno.test("OwnName does not change when a person chose it, or when there is no suggestion", () => {
  const onEvent = (): void => {
    throw new Error("nothing was renamed");
  };
  const chosen = new OwnName("ana", { isChosen: true, onEvent });
  assertEquals([chosen.giveWay("ana-2"), chosen.current], [undefined, "ana"]);
  const madeUp = new OwnName("brave-otter", { isChosen: false, onEvent });
  assertEquals([madeUp.giveWay(undefined), madeUp.current], [undefined, "brave-otter"]);
});
