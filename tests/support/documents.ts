/**
 * The tables in the documents that follow from the code: messages, failures and bounds. `deno task
 * docs` writes them into their places; a test holds the documents to them.
 * @module
 */

import { FAILURES } from "../../lib/core/failure.ts";
import * as limits from "../../lib/core/limits.ts";
import { INDEX_NEWS, INDEX_REQUESTS, PEER_NEWS, PEER_REQUESTS, RECORDS } from "../../lib/protocol/catalogue.ts";
import { FAILURE_SHAPE } from "../../lib/protocol/envelope.ts";
import { HTTP_STATUS } from "../../lib/http/failure.ts";
import { HTTP_ROUTES } from "../../lib/server/http/routes.ts";
import { CLASSROOMS } from "../../lib/cli/classrooms.ts";
import { describedFlags } from "../../lib/cli/flags.ts";
import { usageOf } from "../../lib/shell/commands/command.ts";
import { COMMANDS, QUIT } from "../../lib/shell/commands/commands.ts";
import type { Shape } from "../../lib/protocol/field.ts";
import { figuresIn, RESULTS, speedTable } from "./results.ts";

const ROOT = new URL("../../", import.meta.url);

/** Every document with generated parts, and what belongs between which markers. */
export async function generatedParts(): Promise<{ file: URL; parts: Record<string, string> }[]> {
  return [
    {
      file: new URL("README.md", ROOT),
      parts: {
        commands: commandTable(),
        classrooms: classroomTable(),
        speed: speedTable(figuresIn(await Deno.readTextFile(RESULTS))),
      },
    },
    { file: new URL("lib/server/README.md", ROOT), parts: { routes: routeTable() } },
    { file: new URL("lib/core/README.md", ROOT), parts: { limits: await limitsTable() } },
    { file: new URL("lib/protocol/README.md", ROOT), parts: { messages: messageTables(), failures: failureTable() } },
  ];
}

/** A document with its generated parts replaced. */
export function withParts(text: string, parts: Record<string, string>): string {
  let result = text;
  for (const [name, part] of Object.entries(parts)) {
    const place = new RegExp(`(<!-- ${name}: made by deno task docs -->\n)[^]*?(\n<!-- end of ${name} -->)`);
    if (!place.test(result)) throw new Error(`There is no place for ${name}`);
    result = result.replace(place, (_, begin, end) => `${begin}\n${part}\n${end}`);
  }
  return result;
}

function messageTables(): string {
  const requests = (title: string, all: typeof INDEX_REQUESTS): string => {
    const tables = all.map(({ method, about, shapes, body }) => {
      const reply = `\`${method}_OK\`${body ? ", then a body" : ""}`;
      return `**${method}**: ${about}\n\n${shapeTable([["data", shapes.data], [reply, shapes.reply]])}`;
    });
    return `### ${title}\n\n${tables.join("\n\n")}`;
  };
  const news = (title: string, all: typeof INDEX_NEWS): string => {
    const tables = all.map(({ event, about, shapes }) =>
      `**${event}**: ${about}\n\n${shapeTable([["data", shapes.data]])}`
    );
    return `### ${title}\n\n${tables.join("\n\n")}`;
  };
  return [
    requests("Requests to an index", INDEX_REQUESTS),
    requests("Requests to a peer", PEER_REQUESTS.filter((request) => !INDEX_REQUESTS.includes(request))),
    news("News from an index", INDEX_NEWS),
    news("News from a peer", PEER_NEWS),
    `### Failure\n\n${shapeTable([["data", FAILURE_SHAPE]])}`,
    `### Records\n\n${shapeTable(RECORDS.map(({ name, fields }) => [`**${name}**`, fields]))}`,
  ].join("\n\n");
}

function shapeTable(parts: readonly (readonly [where: string, shape: Shape])[]): string {
  const rows = parts.flatMap(([where, shape]) => {
    const fields = Object.entries(shape);
    if (fields.length === 0) return [`| ${where} | | nothing |`];
    return fields.map(([name, field], index) => `| ${index === 0 ? where : ""} | \`${name}\` | ${field.shape} |`);
  });
  return ["| in | field | bounds |", "| --- | --- | --- |", ...rows].join("\n");
}

function commandTable(): string {
  const rows = [...COMMANDS, QUIT].map(({ about, flags, ...command }) => {
    const optional = describedFlags(flags).map(([usage]) => ` [${usage}]`).join("");
    return `| \`${usageOf(command)}${optional}\` | ${about} |`;
  });
  return ["| command | what it does |", "| --- | --- |", ...rows].join("\n");
}

function classroomTable(): string {
  const rows = CLASSROOMS.map(({ letter, system, here, peer }) => {
    return `| ${letter}. ${system} | ${here} | ${peer.map((each) => `\`${each}\``).join(", ")} |`;
  });
  return ["| system | here | with |", "| --- | --- | --- |", ...rows].join("\n");
}

function routeTable(): string {
  const rows = HTTP_ROUTES.map(({ method, path, parameters, about, answers, fails }) => {
    const query = Object.keys(parameters).map((name) => `${name}=`).join("&");
    const statuses = [...Object.keys(answers), ...fails.map((code) => `${HTTP_STATUS[code]} \`${code}\``)];
    return `| \`${method} ${path}${query === "" ? "" : `?${query}`}\` | ${about} | ${statuses.join(", ")} |`;
  });
  return ["| request | does | answers |", "| --- | --- | --- |", ...rows].join("\n");
}

function failureTable(): string {
  const rows = Object.entries(FAILURES).map(([code, { retry, hint }]) => {
    return `| \`${code}\` | ${retry ? "yes" : "no"} | ${hint.replaceAll("|", "\\|")} |`;
  });
  return ["| code | retry | hint |", "| --- | --- | --- |", ...rows].join("\n");
}

/** The files of bounds, with the titles of their parts of the table. */
const LIMIT_FILES = {
  wire: "Messages",
  server: "An index",
  shared_index: "Servers that share an index",
  peer: "A peer",
  waits: "Waits",
};

/** The bounds, each with the reason that stands above it in the source. */
async function limitsTable(): Promise<string> {
  const values: Readonly<Record<string, number>> = limits;
  const tables: string[] = [];
  for (const [file, title] of Object.entries(LIMIT_FILES)) {
    const source = await Deno.readTextFile(new URL(`lib/core/limits/${file}.ts`, ROOT));
    const rows = Array.from(
      source.matchAll(/\/\*\*((?:[^*]|\*[^/])+)\*\/\nexport const (\w+) =/g),
      ([, why = "", name = ""]) => {
        return `| \`${name}\` | ${shown(name, values[name] ?? NaN)} | ${why.replaceAll(/\s+(?:\* )?/g, " ").trim()} |`;
      },
    );
    tables.push(`### ${title}\n\n${["| bound | value | why |", "| --- | --- | --- |", ...rows].join("\n")}`);
  }
  return tables.join("\n\n");
}

function shown(name: string, value: number): string {
  if (name.includes("_MS") && value >= 86_400_000) return `${value / 86_400_000} days`;
  if (name.includes("_MS")) return value < 1000 ? `${value} ms` : `${value / 1000} s`;
  if (!name.includes("_BYTES_")) return value.toLocaleString("en-US");
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  const power = units.findLastIndex((_, power) => value % 1024 ** power === 0);
  return `${(value / 1024 ** power).toLocaleString("en-US")} ${units[power]}`;
}

if (import.meta.main) {
  for (const { file, parts } of await generatedParts()) {
    await Deno.writeTextFile(file, withParts(await Deno.readTextFile(file), parts));
  }
}
