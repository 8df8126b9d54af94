/** The data sets that ship with Staunch, by the name that `staunch replay <name>` takes. */
import type { ImportSource } from "./import-source.ts";
import { LANL_FILE, lanlSource } from "./lanl/lanl.ts";
import { SEATTLE_FILE, seattleSource } from "./seattle/seattle.ts";

export interface Example {
  /** What it is, in one line. */
  readonly title: string;
  readonly file: URL;
  /** Turns the bytes of the file into an import; throws when they are damaged. */
  readonly read: (bytes: Uint8Array) => ImportSource;
}

export const EXAMPLES: { readonly lanl: Example; readonly seattle: Example } = {
  lanl: {
    title: "failures of 22 systems at Los Alamos National Laboratory, 1995 to 2005",
    file: LANL_FILE,
    read: lanlSource,
  },
  seattle: {
    title: "round-trip times between 99 devices of the Seattle peer-to-peer network",
    file: SEATTLE_FILE,
    read: seattleSource,
  },
};
