/**
 * The commands that trust and block peers.
 * @module
 */

import { fingerprint } from "../../core/fingerprint.ts";
import { shownPeerName } from "../../core/peer_name.ts";
import { type Command, indexCommand, peerCommand, type PeerContext } from "./command.ts";

/** The commands. */
export const PEOPLE_COMMANDS: readonly Command[] = [
  indexCommand({
    name: "trust",
    args: [{ name: "PEER", completes: "peers" }],
    about: "accept PEER's new key after its key has changed",
    more: "Your peer remembers the first key that it sees of each peer. " +
      "Compare the new key with the one that its owner sees in: peers",
    flags: {},
    async run({ output, finding }, [peer]) {
      const { name, id } = await finding.contacts.trust(peer);
      output.result(`Trusting ${shownPeerName(name)} with the key ${fingerprint(id)}`, {
        event: "trusted",
        peer: name,
        id,
      });
    },
  }),
  peerCommand({
    name: "block",
    args: [{ name: "PEER", takes: "optional", completes: "peers" }],
    about: "refuse everything that PEER asks of you; without PEER, list the blocked peers",
    more:
      "PEER is a name or a key as in: peers. The key is blocked, so a blocked peer cannot come back under another " +
      "name. Its running transfers end at once. The list is stored with the folder.",
    flags: {},
    run: block,
  }),
  peerCommand({
    name: "unblock",
    args: [{ name: "PEER", completes: "blocked" }],
    about: "accept requests of a blocked PEER again",
    flags: {},
    run({ output, peer }, [what]) {
      const { id, name } = peer.blocking.unblock(what);
      output.result(`${shownPeerName(name)} (${fingerprint(id)}) is not blocked any more`, {
        event: "unblocked",
        peer: name,
        id,
      });
      return Promise.resolve();
    },
  }),
];

async function block({ output, peer }: PeerContext, [what]: readonly [what: string | undefined]): Promise<void> {
  const { blocking } = peer;
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
