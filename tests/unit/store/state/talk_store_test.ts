import { assertEquals, assertLess } from "@std/assert";
import { MESSAGES_KEPT_MAX, TELLERS_KEPT_MAX } from "../../../../lib/core/limits.ts";
import { State } from "../../../../lib/store/state/state.ts";
import { TempFolder } from "../../../support/temp.ts";

function message(peer: string, number: number): Parameters<State["talk"]["putWaiting"]>[0] {
  return { peer, id: `id of ${peer}`, number, at: number, text: `${peer} ${number}` };
}

Deno.test("waiting messages stay in order, also in the next run, until they are delivered", async () => {
  await using temp = await TempFolder.make();
  {
    using state = State.open(temp.at("recess.db"));
    for (const number of [1, 2, 3]) state.talk.putWaiting(message("rui", number));
    state.talk.putWaiting(message("eva", 1));
    const first = state.talk.nextWaiting("RUI");
    assertEquals(first?.text, "rui 1");
    state.talk.setDelivered(first?.row ?? 0, "another id");
  }
  using state = State.open(temp.at("recess.db"));
  assertEquals(state.talk.waiting(), [{ peer: "eva", count: 1 }, { peer: "rui", count: 2 }]);
  assertEquals([state.talk.lastNumber("rui"), state.talk.lastNumber("ana")], [3, undefined]);
  state.talk.renumber("rui", 10);
  assertEquals(state.talk.history({ peer: "rui", limit: 9 }).map(({ id, number, state }) => [id, number, state]), [
    ["another id", 1, "delivered"],
    ["id of rui", 10, "waiting"],
    ["id of rui", 11, "waiting"],
  ]);
  assertEquals(state.talk.history({ limit: 2 }).map(({ text }) => text), ["rui 3", "eva 1"]);
});

Deno.test("a sender of very many messages displaces only its own messages", async () => {
  await using temp = await TempFolder.make();
  using state = State.open(temp.at("recess.db"));
  state.talk.putReceived(message("ana", 1), true);
  state.talk.putWaiting(message("rui", 1));
  for (let number = 1; number <= MESSAGES_KEPT_MAX + 500; number++) {
    state.talk.putReceived(message("eva", number), true);
  }
  const history = state.talk.history({ limit: 2 * MESSAGES_KEPT_MAX });
  assertEquals(history.length <= MESSAGES_KEPT_MAX + 1, true);
  assertEquals(history.slice(0, 2).map(({ text }) => text), ["ana 1", "rui 1"]);
  assertEquals(history.at(-1)?.text, `eva ${MESSAGES_KEPT_MAX + 500}`);
  assertEquals(state.talk.teller("id of eva"), { name: "eva", last: MESSAGES_KEPT_MAX + 500 });
  assertEquals(state.talk.teller("id of ana"), { name: "ana", last: 1 });
});

Deno.test("ten thousand peers with a message each displace no message of a known peer", async () => {
  await using temp = await TempFolder.make();
  using state = State.open(temp.at("recess.db"));
  for (let number = 1; number <= 150; number++) state.talk.putReceived(message("ana", number), true);
  for (let number = 1; number <= 5; number++) state.talk.putReceived(message("rui", number), true);
  for (let each = 1; each <= MESSAGES_KEPT_MAX + 700; each++) {
    state.talk.putReceived(message(`eva ${each}`, 1), true);
  }
  const history = state.talk.history({ limit: 2 * MESSAGES_KEPT_MAX });
  assertLess(history.length, MESSAGES_KEPT_MAX + 1);
  const ofPeer = (peer: string): number => history.filter((each) => each.peer === peer).length;
  assertEquals([ofPeer("ana"), ofPeer("rui")], [150, 5]);
  assertEquals(history.slice(-1_000).map(({ peer }) => peer).at(0), `eva ${MESSAGES_KEPT_MAX - 299}`);
});

Deno.test("the senders that were silent longest are forgotten when there are too many", async () => {
  await using temp = await TempFolder.make();
  using state = State.open(temp.at("recess.db"));
  for (let each = 1; each <= TELLERS_KEPT_MAX + 1; each++) {
    state.talk.putReceived({ peer: "somebody", id: String(each), number: 1, at: each, text: "x" }, false);
  }
  assertEquals(state.talk.teller("1"), undefined);
  assertEquals(state.talk.teller(String(TELLERS_KEPT_MAX + 1)), { name: undefined, last: 1 });
});
