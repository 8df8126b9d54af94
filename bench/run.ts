/** `npm run bench -- [name ...] [--json]`: runs benchmarks and prints their figures, one a line. */
import { benchAck } from "./ack.ts";
import { benchExplain } from "./explain.ts";
import { benchFold } from "./fold.ts";
import { benchIngest } from "./ingest.ts";
import { benchLog } from "./log.ts";
import { benchMemory } from "./memory.ts";
import { benchPause } from "./pause.ts";
import { benchRank } from "./rank.ts";
import { benchRestore } from "./restore.ts";
import { benchSelect } from "./select.ts";
import { benchWork } from "./work.ts";
import type { Bench } from "./result.ts";

const BENCHES: { readonly [name: string]: Bench } = {
  fold: benchFold,
  ingest: benchIngest,
  ack: benchAck,
  pause: benchPause,
  rank: benchRank,
  explain: benchExplain,
  select: benchSelect,
  work: benchWork,
  memory: benchMemory,
  restore: benchRestore,
  log: benchLog,
};

const names = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const json = process.argv.includes("--json");
const unknown = names.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(`no benchmark named ${unknown.join(", ")}; there are ${Object.keys(BENCHES).join(", ")}`);
  process.exit(2);
}
for (const name of names.length > 0 ? names : Object.keys(BENCHES)) {
  for await (const result of BENCHES[name]!()) {
    const { unit, value, conditions } = result;
    if (json) console.log(JSON.stringify(result));
    else
      console.log(
        `${result.name.padEnd(12)} ${format(value).padStart(14)} ${unit.padEnd(12)} ${JSON.stringify(conditions)}`,
      );
  }
}

function format(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(3);
}
