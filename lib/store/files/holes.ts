/**
 * Tells which bytes need no room on a disk. A file of a virtual machine or a database may be mostly
 * zeros, which a file system keeps as holes. Called by unfinished_file.ts and verified_copy.ts.
 * @module
 */

/** Whether all bytes are zeros, so that a hole in a new file reads the same. */
export function isHole(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at++) if (bytes[at] !== 0) return false;
  return true;
}
