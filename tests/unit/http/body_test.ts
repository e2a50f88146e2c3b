import { assert, assertEquals } from "@std/assert";
import { failedWith } from "../../../lib/core/failure.ts";
import { HTTP_BODY_BYTES_MAX } from "../../../lib/core/limits.ts";
import { readJson } from "../../../lib/http/body.ts";
import { JSON_TYPE } from "../../support/http_api.ts";

Deno.test("readJson() reads a body within its bounds of bytes and time, with a length or in chunks", async () => {
  const chunked = (chunk: string, pauseMs: number): ReadableStream<Uint8Array> => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    return new ReadableStream({
      async pull(controller) {
        await new Promise<void>((resolve) => timer = setTimeout(resolve, pauseMs));
        controller.enqueue(new TextEncoder().encode(chunk));
      },
      cancel: () => clearTimeout(timer),
    });
  };
  const cases: [body: BodyInit, code: string, headers?: Record<string, string>][] = [
    [" ".repeat(HTTP_BODY_BYTES_MAX + 1), "too-large"],
    ["x", "too-large", { "content-length": "1e9" }],
    [chunked(" ".repeat(1000), 0), "too-large"],
    [chunked(" ", 60_000), "timeout"],
    [chunked(" ", 20), "timeout"],
    ["", "malformed"],
    ["{", "malformed"],
    ["[".repeat(HTTP_BODY_BYTES_MAX), "malformed"],
    [new Uint8Array([0x22, 0xff, 0x22]), "malformed"],
  ];
  for (const [body, code, headers] of cases) {
    const request = new Request("http://10.0.0.1/", { method: "POST", body, headers: { ...JSON_TYPE, ...headers } });
    const thrown = await readJson(request, { waitMs: 200 }).catch((each) => each);
    assert(failedWith(thrown, "too-large", "timeout", "malformed") && thrown.code === code, `${code}: ${thrown}`);
  }
  const good = new Request("http://10.0.0.1/", {
    method: "POST",
    body: "5",
    headers: { "content-type": "Application/JSON; charset=utf-8" },
  });
  assertEquals(await readJson(good), 5);
});
