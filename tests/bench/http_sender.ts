/**
 * Serves one file over HTTP, for the bench: `recess` through lib/http as an index or a page does,
 * `deno` through `Deno.serve`. Both read it in the same way, 256 KiB at a time. Arguments: which,
 * and the path.
 * @module
 */

import { systemClock } from "../../lib/core/flow/clock.ts";
import { HttpAccess } from "../../lib/http/access.ts";
import { HttpApi } from "../../lib/http/api.ts";
import { type HttpRoute, httpRoute } from "../../lib/http/route.ts";
import { HttpServer } from "../../lib/http/server.ts";
import { type ByteReader, StoredBody } from "../../lib/http/stored_body.ts";

const [which, path = ""] = Deno.args;
const { size } = await Deno.stat(path);
const type = "application/octet-stream";

/** Opens the file. Its reads follow each other, so that it seeks once. */
async function open(): Promise<ByteReader> {
  const file = await Deno.open(path);
  let at = 0;
  return {
    async readAt(target, start) {
      if (start !== at) await file.seek(start, Deno.SeekMode.Start);
      const read = await file.read(target) ?? 0;
      at = start + read;
      return read;
    },
    [Symbol.dispose]: () => file.close(),
  };
}

async function serveRecess(): Promise<number> {
  const body = new StoredBody({ size, type, tag: "bench", open });
  const routes: HttpRoute<undefined>[] = [
    httpRoute("GET", "/f", {
      operation: "file",
      about: "The file.",
      hasRanges: true,
      answers: { 200: { about: "Its bytes.", type } },
      answer: () => Promise.resolve({ body }),
    }),
  ];
  const access = new HttpAccess({ clock: systemClock, perSecond: 1000, hostNames: [] });
  const api = new HttpApi({ routes, parts: undefined, clock: systemClock, access });
  const server = await HttpServer.listen({ host: "127.0.0.1", port: 0 }, {
    answer: (request, remote) => api.answer(request, remote),
  });
  return server.address.port;
}

function serveDeno(): number {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    return new StoredBody({ size, type, tag: "bench", open }).respond(new Headers(), new Headers());
  });
  return server.addr.port;
}

console.log(`listening ${which === "recess" ? await serveRecess() : serveDeno()}`);
