import { assertEquals } from "@std/assert";
import { nameInside } from "../../../../lib/store/files/inside.ts";

const WINDOWS: [folder: string, path: string, name: string | undefined][] = [
  ["C:\\share", "C:\\share", ""],
  ["C:\\share", "C:\\share\\film.mp4", "film.mp4"],
  ["C:\\share", "c:\\SHARE\\week 1\\film.mp4", "week 1/film.mp4"],
  ["C:\\share", "C:\\share\\..film", "..film"],
  ["C:\\share", "C:\\", undefined],
  ["C:\\share", "C:\\shared\\film.mp4", undefined],
  ["C:\\share", "D:\\private\\x", undefined],
  ["C:\\share", "D:\\", undefined],
  ["C:\\share", "\\\\server\\share\\x", undefined],
];

Deno.test("nameInside() takes no path on another drive or server for one inside a folder on Windows", () => {
  for (const [folder, path, name] of WINDOWS) assertEquals(nameInside(folder, path, "windows"), name, path);
});

const OTHERS: [folder: string, path: string, name: string | undefined][] = [
  ["/share", "/share", ""],
  ["/share", "/share/film.mp4", "film.mp4"],
  ["/share", "/share/a\\b.txt", "a\\b.txt"],
  ["/share", "/share/..film", "..film"],
  ["/share", "/SHARE/film.mp4", undefined],
  ["/share", "/", undefined],
  ["/share", "/shared/film.mp4", undefined],
];

Deno.test("nameInside() takes no path beside or above a folder for one inside it on other systems", () => {
  for (const [folder, path, name] of OTHERS) assertEquals(nameInside(folder, path, "linux"), name, path);
});
