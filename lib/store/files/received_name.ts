/**
 * Decides under which name something from the network is written. This is the one place that does,
 * for every way in.
 *
 * There are two answers. A name that would leave the folder, hide in it or reach into `.recess` is
 * rejected: no honest peer sends it. A name that only some system cannot store (a colon, a line
 * feed, a trailing dot, `con.txt`) is made storable: a classmate's file may have it, and a name
 * from one system has to work on every other. The rules follow croc's `receivefs` and Microsoft's
 * "Naming Files, Paths, and Namespaces".
 * @module
 */

import { Failure } from "../../core/failure.ts";
import { COMPONENT_BYTES_MAX, NAME_BYTES_MAX, SCAN_DEPTH_MAX } from "../../core/limits.ts";
import { printable } from "../../core/printable.ts";
import { cutToUtf8, isLongerInUtf8, utf8Bytes } from "../../core/utf8.ts";
import type { System } from "./inside.ts";
import { isOfInbox } from "./shareable.ts";

/**
 * Characters that no name may have anywhere: control and format characters, separators of other
 * systems, and `:` (drives, streams).
 */
const UNSTORABLE_REGEXP = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\\:]/gu;
/** Characters that Windows stores nowhere. Elsewhere they stay as they are. */
const WINDOWS_REGEXP = /[<>"|?*]/g;
/** Names of devices on Windows, with any ending. */
const DEVICE_REGEXP = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])(?:\s*\.|\s*$)/i;
/**
 * A short second name as Windows and FAT give it to a file with a long one: `RECESS~1` for
 * `.recess`. Opening the short name opens that file.
 */
const SHORT_NAME_REGEXP = /^([^.~]{1,6})~(\d{1,6}(?:\.[^.]{0,3})?)$/;
/**
 * A path from the root of a Windows drive. A single letter before a colon is only a title: `Q:
 * answers.txt`.
 */
const DRIVE_REGEXP = /^[a-zA-Z]:[/\\]/;
const JOINERS = ["\u200c", "\u200d"];

/**
 * The relative path, with `/` between its components, under which a file with this name may be
 * written. A file from another peer's inbox does not go into ours, which only has what others put
 * there.
 *
 * ```ts
 * import { assertEquals, assertThrows } from "@std/assert";
 * import { receivedName } from "./received_name.ts";
 * assertEquals(receivedName("Aula 1: intro.mp4"), "Aula 1_ intro.mp4");
 * assertThrows(() => receivedName("../.ssh/authorized_keys"), Error);
 * ```
 *
 * @throws {Failure} "bad-name".
 */
export function receivedName(name: string, system: System = Deno.build.os): string {
  const refuse = (why: string): Failure => new Failure("bad-name", `Cannot store "${printable(name)}": ${why}`);
  if (isLongerInUtf8(name, NAME_BYTES_MAX)) throw refuse("the name is too long");
  if (name.includes("\0")) throw refuse("the name holds a NUL");
  if (/^[/\\]/.test(name) || DRIVE_REGEXP.test(name)) throw refuse("the name is a path from the root of a disk");
  const components = name.normalize("NFC").split("/");
  while (components.length > 1 && isOfInbox(components[0] ?? "")) components.shift();
  if (components.length > SCAN_DEPTH_MAX) throw refuse("there are too many folders in it");
  return components.map((component) => {
    if (component === "" || /^[.\s]+$/.test(component)) throw refuse("a part of it is not a name");
    const stored = storable(component, system);
    if (stored.startsWith(".")) throw refuse("hidden files are not received");
    return stored;
  }).map((stored, index) => index === 0 && isOfInbox(stored) ? `_${stored}` : stored).join("/");
}

/**
 * The `number`th name for another file with the same name: `(1) name`, in the same folder, short
 * enough to store.
 */
export function numberedName(name: string, number: number): string {
  const cut = name.lastIndexOf("/") + 1;
  return name.slice(0, cut) + shortened(`(${number}) ${name.slice(cut)}`);
}

function storable(component: string, system: System): string {
  let stored = component.replace(UNSTORABLE_REGEXP, (character) => JOINERS.includes(character) ? character : "_");
  if (system === "windows") stored = stored.replace(WINDOWS_REGEXP, "_");
  stored = stored.trim().replace(/[. ]+$/, (ending) => "_".repeat(ending.length));
  if (DEVICE_REGEXP.test(stored)) stored = `_${stored}`;
  stored = stored.replace(SHORT_NAME_REGEXP, "$1_$2");
  return shortened(stored);
}

/** Shortens a component to what can be stored, before its ending. */
function shortened(component: string): string {
  if (!isLongerInUtf8(component, COMPONENT_BYTES_MAX)) return component;
  const dot = component.lastIndexOf(".");
  const ending = dot > 0 && component.length - dot <= 16 ? component.slice(dot) : "";
  const stem = component.slice(0, component.length - ending.length);
  return cutToUtf8(stem, COMPONENT_BYTES_MAX - utf8Bytes(ending)) + ending;
}
