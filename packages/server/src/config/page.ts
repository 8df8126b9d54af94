/** What is generated from the schema and committed: the reference page and the lock file of all defaults. */
import { nestDocument } from "@staunch/engine";
import { stringify } from "yaml";
import { SETTINGS, type Setting } from "./settings.ts";
import { UNAVAILABLE } from "./unavailable.ts";

/** A `staunch.yaml` with every setting at its default, so that a changed default shows as a changed line. */
export function renderDefaults(): string {
  const document = nestDocument(SETTINGS.map((setting) => [setting.path, setting.default]));
  const heading = "# Every setting at its default. Generated from the schema; a test compares it.\n";
  return heading + stringify(document, { lineWidth: 0, flowCollectionPadding: false });
}

/** `docs/configuration.md`. */
export function renderPage(): string {
  const groups = [...new Set(SETTINGS.map(groupOf))];
  return [INTRODUCTION, ...groups.map(renderGroup), renderUnavailable()].join("\n");
}

const INTRODUCTION = `# Configuration

<!-- Generated from the schema in packages/server/src/config; a test compares it. -->

Every setting can be written in \`staunch.yaml\`, in the environment, or as a flag. A flag goes over the
environment, the environment over the file, the file over the default. An unknown name is an error that tells the
nearest known one. \`staunch config print --explain\` shows every value and where it comes from.

- **Names.** \`server.port\` is the key \`port\` under \`server:\` in the file and \`STAUNCH_SERVER_PORT\` in the
  environment. An empty variable is one that is not set. \`STAUNCH_CONFIG\`, \`STAUNCH_URL\` and \`STAUNCH_KEY\`
  belong to the command line and set nothing here.
- **Durations** are written as \`500ms\`, \`1m\`, \`1h30m\` or \`720h\`; a plain number counts milliseconds.
- **Sizes** are written as \`512KiB\`, \`4MiB\` or \`1GiB\`; a plain number counts bytes.
- **Lists and maps** in a variable or flag are written as in YAML: \`[95, 85, 75, 65]\`.
- \`reputation\`, \`jobs\`, \`misbehaviour\`, \`health\`, \`selection\` and \`tracking\` are the policy by which providers
  are scored. Points that are not written scale with \`max_score\`.
- The keys under **workers** stand at the top of the file. They change the preset \`compute-worker\`, by which workers are
  scored; everything else of it is changed with \`staunch policy activate --kind worker\`.
`;

function renderGroup(name: string): string {
  const rows = SETTINGS.filter((setting) => groupOf(setting) === name).map((setting) => [
    `\`${setting.path}\``,
    `\`${JSON.stringify(setting.default).replaceAll('"', "")}\``,
    setting.takes,
    setting.description,
    setting.variables.map((variable) => `\`${variable}\``).join(", "),
    `\`--${setting.flag}\``,
  ]);
  const heading = ["setting", "default", "takes", "meaning", "variable", "flag"];
  return `## ${name}\n\n${renderTable([heading, ...rows])}`;
}

function renderUnavailable(): string {
  const rows = UNAVAILABLE.map(({ name, keys, variables }) => [
    name,
    [...keys, ...variables].map((key) => `\`${key}\``).join(", "),
  ]);
  return `## Not available yet

A setting that is accepted has an effect. Those of capabilities that this version does not have are refused with
the code \`not_available_yet\`:

${renderTable([["capability", "settings"], ...rows])}`;
}

/** Rows of a table, the heading first, with columns of equal width as the formatter wants them. */
function renderTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)));
  const rule = widths.map((width) => "-".repeat(width));
  return [lines[0]!, rule, ...lines.slice(1)].map((line) => `| ${line.join(" | ")} |\n`).join("");
}

function groupOf({ path, target }: Setting): string {
  return target.type === "worker" ? "workers" : path.split(".")[0]!;
}
