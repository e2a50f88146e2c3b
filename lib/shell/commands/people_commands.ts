/**
 * The commands that trust and block peers.
 * @module
 */

import { fingerprint } from "../../core/fingerprint.ts";
import { shownPeerName } from "../../core/peer_name.ts";
import { type Command, type CommandContext, joined } from "./command.ts";

/** The commands. */
export const PEOPLE_COMMANDS: readonly Command[] = [
  {
    name: "trust",
    args: "PEER",
    about: "accept PEER's new key after its key has changed",
    more:
      "The key that a peer has when you first use it is remembered. Compare the new key with the one that its owner sees in: peers",
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
    about: "refuse everything that PEER asks of you; without PEER, list the blocked peers",
    more:
      "PEER is a name or a key as in: peers. The key is blocked, so a blocked peer cannot come back under another name. Its running transfers end at once. The list is kept with the folder.",
    flags: {},
    completes: ["peers"],
    needs: "peer",
    count: { min: 0, max: 1 },
    run: block,
  },
  {
    name: "unblock",
    args: "PEER",
    about: "accept requests of a blocked PEER again",
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
