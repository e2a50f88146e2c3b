/**
 * What the routes of the index's HTTP API work with.
 * @module
 */

import type { SearchIndex } from "../../index/search_index.ts";
import type { IndexMetrics, ServerState } from "../index_metrics.ts";
import type { Journal } from "../journal.ts";
import type { Registrars } from "./registrars.ts";

/** What all routes share. */
export interface IndexHttpParts {
  readonly index: SearchIndex;
  readonly journal: Journal;
  readonly metrics: IndexMetrics;
  readonly registrars: Registrars;
  /** What the index server knows about itself. */
  readonly state: () => ServerState;
}
