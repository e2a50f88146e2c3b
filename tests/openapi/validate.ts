/**
 * Reads an OpenAPI document from standard input, and prints as JSON whether it is valid. Run by
 * tests/unit/server/http/openapi_test.ts.
 *
 * It has a configuration and a lock of its own. Deno fetches every package of the project's lock
 * before it runs any program of the project, and compiles it into every executable. No index needs
 * a validator.
 * @module
 */

import { Validator } from "@seriousme/openapi-schema-validator";

const document: Record<string, unknown> = await new Response(
  Deno.stdin.readable,
).json();
console.log(JSON.stringify(await new Validator().validate(document)));
