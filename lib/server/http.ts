/**
 * The index's HTTP side. Today it only says that the index lives; the registry of classroom E comes with the API.
 * @module
 */

/** Answers one HTTP request. */
export function handleHttp(request: Request): Response {
  const { pathname } = new URL(request.url);
  if (pathname !== "/healthz") {
    return Response.json({ error: { code: "not-found", message: "No such page" } }, { status: 404 });
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    return Response.json({ error: { code: "unsupported", message: "Only GET is answered here" } }, {
      status: 405,
      headers: { allow: "GET, HEAD" },
    });
  }
  return Response.json({ status: "ok" });
}
