/**
 * The commands that say whom one trusts and whom one wants nothing to do with.
 * @module
 */

import { fingerprint } from "../core/fingerprint.ts";
import { shownPeerName } from "../core/peer_name.ts";
import { type Command, type CommandContext, joined } from "./command.ts";

/** The commands. */
export const PEOPLE_COMMANDS: readonly Command[] = [
  {
    name: "trust",
    args: "PEER",
    about: "accept the key that PEER has now, when it is another than before",
    more:
      "A peer is remembered with the key it had when it was first used. Compare the new one with what its owner sees in: peers",
    flags: {},
    completes: ["peers"],
    needs: "index",
    count: { min: 1, max: 1 },
    async run({ output, directory }, [peer = ""]) {
      const { name, id } = await directory.trust(peer);
      output.result(`Trusting ${shownPeerName(name)} with the key ${fingerprint(id)}`, {
        event: "trusted",
        peer: name,
        id,
      });
    },
  },
  {
    name: "block",
    args: "[PEER]",
    about: "refuse everything that PEER asks of you; without PEER, list whom you have blocked",
    more:
      "PEER is a name or a key as in: peers. The key is blocked, so another name does not help. What runs for PEER ends at once. It is kept with the folder.",
    flags: {},
    completes: ["peers"],
    needs: "peer",
    count: { min: 0, max: 1 },
    run: block,
  },
  {
    name: "unblock",
    args: "PEER",
    about: "let a blocked PEER ask again, like any other",
    flags: {},
    completes: ["blocked"],
    needs: "peer",
    count: { min: 1, max: 1 },
    run({ output, peer }, [what = ""]) {
      const { id, name } = joined(peer).blocking.unblock(what);
      output.result(`${shownPeerName(name)} (${fingerprint(id)}) is not blocked any more`, {
        event: "unblocked",
        peer: name,
        id,
      });
      return Promise.resolve();
    },
  },
];

async function block({ output, peer }: CommandContext, [what]: readonly string[]): Promise<void> {
  const { blocking } = joined(peer);
  if (what !== undefined) {
    const { id, name } = await blocking.block(what);
    return output.result(`Blocked ${shownPeerName(name)} (${fingerprint(id)})`, { event: "blocked", peer: name, id });
  }
  const all = blocking.list();
  if (all.length === 0) return output.nothing("Nobody is blocked");
  output.table(
    [{ title: "blocked", flexible: true }, { title: "key" }],
    all.map(({ id, name }) => ({
      cells: [shownPeerName(name), fingerprint(id)],
      object: { event: "blocked", peer: name, id },
    })),
  );
}
