/**
 * How fast a picture gets to another peer over UDP, on a clean loopback, as a person would see it:
 * two programs, one command.
 * @module
 */

import { imageFile } from "../support/images.ts";
import { runCommand, startIndex, startPeer } from "../support/programs.ts";
import { TempFolder } from "../support/temp.ts";
import { costOf, median } from "./measure.ts";
import type { BenchRow } from "./report.ts";

const SIZES = [5_000_000, 30_000_000];

/** Shows pictures of two sizes, each so many rounds. */
export async function benchPictures({ rounds }: { rounds: number }): Promise<BenchRow[]> {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await using rui = await startPeer({ folder: temp.at("rui"), index, name: "rui" });
  const rows: BenchRow[] = [];
  for (const size of SIZES) {
    const photo = await imageFile(temp, `${size}.jpg`, "jpeg", size);
    const reports: { bytesPerSecond: number; datagrams: number; resent: number }[] = [];
    const { cpuMs } = await costOf(rui.program.pid, async () => {
      for (let round = 0; round < rounds; round++) {
        const args = { folder: temp.at("ana"), index, name: "ana", args: ["--json"] };
        const { code, stdout, stderr } = await runCommand(args, "show", "rui", photo);
        if (code !== 0) throw new Error(stderr);
        reports.push(JSON.parse(stdout));
      }
    });
    const rates = reports.map(({ bytesPerSecond }) => bytesPerSecond / 1e6);
    rows.push({
      what: `a picture of ${size / 1e6} MB`,
      figures: {
        "MB/s": median(rates),
        "slowest": Math.min(...rates),
        "fastest": Math.max(...rates),
        "sent again %": median(reports.map(({ resent, datagrams }) => 100 * resent / datagrams)),
        "receiver CPU ms": Math.round(cpuMs / rounds),
      },
    });
  }
  return rows;
}
