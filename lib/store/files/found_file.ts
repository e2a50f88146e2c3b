/**
 * What a scan of the shared folder notes of a file. Made by lib/store/share/scan.ts. The state
 * keeps it with the digests.
 * @module
 */

/** A file that a scan found in the shared folder. */
export interface FoundFile {
  /** Relative to the folder, with `/` between components. */
  readonly name: string;
  readonly size: number;
  /** Milliseconds since 1970, negative before. */
  readonly modified: number;
  /**
   * When the system noted the last change of any kind, in whole seconds. Nobody can set it back.
   * Undefined where the system does not note it.
   */
  readonly changed?: number | undefined;
  /**
   * The number of the file on its disk, and of the disk. Undefined for a link, and where the system
   * has no such numbers.
   */
  readonly inode?: number | undefined;
  readonly device?: number | undefined;
  /** Whether it is a program that may be started. Absent when it is not. */
  readonly executable?: boolean | undefined;
}
