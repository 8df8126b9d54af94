/** What all commands share: options, configuration, the policy of a file, and how failures end them. */
import { existsSync, readFileSync } from "node:fs";
import { parsePolicy, type Policy } from "@staunch/engine";
import type { Command, Option } from "commander";
import { loadConfig, type ConfigResult, type Provenance } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { SETTINGS } from "../config/settings.ts";
import { parseYaml } from "../config/yaml.ts";
import { messageOf } from "./client.ts";
import { CliError, EXIT } from "./exit-codes.ts";
import type { Io } from "./output.ts";

const CONFIG_FILE = "staunch.yaml";
/** Settings whose flags the help of `serve` shows; the others are on the reference page. */
const SHOWN_FLAGS: ReadonlySet<string> = new Set(["port", "host", "data", "log-level"]);

export interface JsonOption {
  readonly json?: boolean;
}

export interface ServiceOptions extends JsonOption {
  readonly url?: string;
  readonly key?: string;
}

/** Options of a command that asks a running service. */
export function addServiceOptions(command: Command): Command {
  return command
    .option("--url <url>", "address of the service (STAUNCH_URL; http://127.0.0.1:8080)")
    .option("--key <key>", "API key, better given in STAUNCH_KEY or as @FILE")
    .option("--json", "print JSON");
}

/** Options of a command that opens a data directory itself. */
export function addDataOptions(command: Command): Command {
  return command
    .option("--data <directory>", "data directory (STAUNCH_STORAGE_DIRECTORY; ./data)")
    .option("--config <file>", "configuration file (STAUNCH_CONFIG; staunch.yaml where there is one)")
    .option("--json", "print JSON");
}

export function clockOption(command: Command): Option {
  return command
    .createOption("--clock <clock>", "shifted: the last record is now; recorded: times stay as they are")
    .choices(["shifted", "recorded"])
    .default("shifted");
}

/** One option for each setting of the configuration. */
export function addSettingOptions(command: Command): Command {
  command.option("--config <file>", "configuration file (STAUNCH_CONFIG; staunch.yaml where there is one)");
  for (const { flag, description } of SETTINGS) {
    const option = command.createOption(`--${flag} <value>`, description);
    command.addOption(SHOWN_FLAGS.has(flag) ? option : option.hideHelp());
  }
  return command;
}

export type Flags = { readonly [flag: string]: string | boolean | undefined };

export interface LoadedConfig {
  readonly config: Config;
  readonly provenance: Provenance;
}

/** Lays the configuration together; `flags` are the options of the command, of which settings count. */
export function loadSettings(io: Io, flags: Flags): LoadedConfig {
  const file = configFile(io, flags);
  const known = new Set(SETTINGS.map(({ flag }) => camelCase(flag)));
  const settings = Object.fromEntries(Object.entries(flags).filter(([flag]) => known.has(flag)));
  const result = loadConfig({ file, env: io.env, flags: settings });
  if (result.type === "invalid") throw invalidConfig(result);
  return result;
}

/** The data directory that a command of {@link addDataOptions} works on. */
export function directoryOf(io: Io, flags: Flags): string {
  return loadSettings(io, flags).config.storage.directory;
}

function configFile(io: Io, flags: Flags): { name: string; text: string } | null {
  const named = flags["config"] ?? io.env["STAUNCH_CONFIG"];
  if (typeof named === "string" && named !== "") return { name: named, text: readText(named) };
  return existsSync(CONFIG_FILE) ? { name: CONFIG_FILE, text: readText(CONFIG_FILE) } : null;
}

function invalidConfig({ problems }: Extract<ConfigResult, { type: "invalid" }>): CliError {
  const lines = problems.map(({ where, message }) => `\n  ${where}: ${message}`).join("");
  const advice = "\nAll settings are in docs/configuration.md.";
  return new CliError("config_invalid", EXIT.usage, `The configuration is not valid:${lines}${advice}`);
}

/** A policy from a YAML or JSON file. */
export function readPolicy(path: string): Policy {
  const parsed = parsePolicy(readDocument(path));
  if (parsed.type === "ok") return parsed.policy;
  const lines = parsed.problems.map(({ message }) => `\n  ${message}`).join("");
  throw new CliError("policy_invalid", EXIT.checkFailed, `${path} is not a valid policy:${lines}`);
}

/** The document in a YAML or JSON file, not yet checked. */
export function readDocument(path: string): unknown {
  const parsed = parseYaml(readText(path));
  if (parsed.type === "ok") return parsed.value ?? {};
  throw new CliError("yaml_invalid", EXIT.usage, `${path} ${parsed.message}`);
}

/** A text file; `-` is standard input. */
export function readText(path: string): string {
  try {
    return readFileSync(path === "-" ? 0 : path, "utf8");
  } catch (error) {
    throw new CliError("file_unreadable", EXIT.notFound, `${path} cannot be read: ${messageOf(error)}`);
  }
}

function camelCase(flag: string): string {
  return flag.replace(/-([a-z0-9])/gu, (_, letter: string) => letter.toUpperCase());
}

/** A whole number from `min` to `max`, as an option's parser. */
export function wholeNumber(name: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text !== "" && Number.isInteger(value) && value >= min && value <= max) return value;
    throw new CliError(
      "usage",
      EXIT.usage,
      `${name} takes a whole number from ${min} to ${max}, not ${text}`,
    );
  };
}
