/**
 * How a download finds the peers that have its content. Implemented in lib/peer/find.
 * @module
 */

import type { WantedContent } from "./content.ts";
import type { Source } from "./source.ts";

/**
 * Finds sources. A download asks when it begins without any, and again and again while it runs.
 */
export interface SourceFinder {
  /**
   * The peers that have a content now. They are found by its root, or by its name while it has no
   * root.
   */
  sources(wanted: WantedContent): Promise<readonly Source[]>;
}
