/**
 * Decides by name alone which files of a folder are shared. Called by the scan, and again whenever
 * a file is opened.
 * @module
 */

import { NAME_BYTES_MAX, SCAN_DEPTH_MAX } from "../../core/limits.ts";
import { isLongerInUtf8 } from "../../core/utf8.ts";

/** The folder with a peer's own state. It is hidden, and never shared. */
export const STATE_FOLDER = ".recess";

/**
 * The folder into which others put files. It is visible, but shared only when the person says so.
 */
export const INBOX_FOLDER = "inbox";

/** Endings that browsers and other programs give to incomplete files. */
const UNFINISHED_REGEXP = /(?:\.part|\.partial|\.crdownload|\.download|\.tmp|~)$/i;
/** A component that begins with a dot, and one without a character. */
const HIDDEN_REGEXP = /(?:^|\/)\./;
const EMPTY_REGEXP = /^(?:\/|$)|\/(?:\/|$)/;

/** Whether a relative name is hidden, or lies in a hidden folder. */
export function isHidden(name: string): boolean {
  return HIDDEN_REGEXP.test(name);
}

/**
 * Whether a relative name may be shared: not hidden, not unfinished, not too long or deep, and
 * storable as text.
 */
export function isShareable(name: string): boolean {
  return name.split("/", SCAN_DEPTH_MAX + 1).length <= SCAN_DEPTH_MAX &&
    !EMPTY_REGEXP.test(name) && !isHidden(name) && !UNFINISHED_REGEXP.test(name) &&
    !isLongerInUtf8(name, NAME_BYTES_MAX) &&
    name.isWellFormed() && !name.includes("\0");
}

/** Whether a name is in the inbox, or in its place. Case does not matter, as on many disks. */
export function isOfInbox(name: string): boolean {
  const end = name.indexOf("/");
  return (end === -1 ? name : name.slice(0, end)).normalize("NFC").toLowerCase() === INBOX_FOLDER;
}
