/**
 * The name that a peer joins with, and when it may be replaced by another. Made by home.ts.
 * @module
 */

/** The index suggested another name because the peer's own was taken. */
export interface RenamedEvent {
  readonly event: "renamed";
  readonly from: string;
  readonly name: string;
}

/** The name of one peer. */
export class OwnName {
  #current: string;
  readonly #isChosen: boolean;
  readonly #onEvent: (event: RenamedEvent) => void;

  /** @param options.isChosen Whether a person chose the name. Then only a person may change it. */
  constructor(
    name: string,
    { isChosen, onEvent }: { readonly isChosen: boolean; readonly onEvent: (event: RenamedEvent) => void },
  ) {
    this.#current = name;
    this.#isChosen = isChosen;
    this.#onEvent = onEvent;
  }

  /** The name now. */
  get current(): string {
    return this.#current;
  }

  /**
   * Accepts the suggestion of an index at which the name is taken, if it was made up.
   *
   * @returns The name to try next; undefined when there is none.
   */
  giveWay(suggestion: string | undefined): string | undefined {
    if (this.#isChosen || suggestion === undefined) return undefined;
    this.#onEvent({ event: "renamed", from: this.#current, name: suggestion });
    this.#current = suggestion;
    return suggestion;
  }
}
