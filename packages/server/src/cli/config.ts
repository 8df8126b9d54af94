/** `staunch config print`: the configuration as it is in force, and where each value comes from. */
import { policyDocument } from "@staunch/engine";
import type { Command } from "commander";
import { stringify } from "yaml";
import { explainConfig } from "../config/load.ts";
import { addSettingOptions, loadSettings, type Flags } from "./command.ts";
import { table, type Io } from "./output.ts";

export function addConfig(program: Command, io: Io): void {
  const config = program.command("config").description("look at the configuration");
  addSettingOptions(config.command("print"))
    .description("print the configuration in force")
    .option("--explain", "every value, and where it comes from")
    .option("--json", "print JSON")
    .action((flags: Flags) => {
      const loaded = loadSettings(io, flags);
      const settings = explainConfig(loaded.config, loaded.provenance);
      if (flags["explain"] === true) {
        if (flags["json"] === true) io.out(JSON.stringify(settings));
        else for (const line of explainLines(settings)) io.out(line);
        return;
      }
      const { policies, ...service } = loaded.config;
      const { provider, worker } = policies;
      const documents = { provider: policyDocument(provider), worker: policyDocument(worker) };
      const document = { ...service, policies: documents };
      if (flags["json"] === true) io.out(JSON.stringify(document));
      else io.out(stringify(Object.fromEntries(settings.map(({ path, value }) => [path, value]))).trimEnd());
    });
}

function explainLines(settings: ReturnType<typeof explainConfig>): string[] {
  const rows = settings.map(({ path, value, source, name }) => [
    path,
    JSON.stringify(value),
    name === "" ? source : `${source} ${name}`,
  ]);
  return table(
    [
      ["setting", "left"],
      ["value", "left"],
      ["from", "left"],
    ],
    rows,
  );
}
