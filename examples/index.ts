/** The data sets that ship with Staunch, by the name that `staunch replay <name>` takes. */
import type { PolicyDocument } from "@staunch/engine";
import type { ImportSource } from "../packages/server/src/app/import/import-source.ts";
import { LANL_FILE, LANL_KIND, lanlSource } from "./lanl/lanl.ts";
import { LANL_POLICY } from "./lanl/policy.ts";
import { SEATTLE_POLICY } from "./seattle/policy.ts";
import { SEATTLE_FILE, SEATTLE_KIND, seattleSource } from "./seattle/seattle.ts";

export interface Example {
  /** What it is, in one line. */
  readonly title: string;
  readonly file: URL;
  /** Kind of all its subjects. */
  readonly kind: string;
  /** The policy of that kind, a document for `parsePolicy`. */
  readonly policy: PolicyDocument;
  /** Turns the bytes of the file into an import; throws when they are damaged. */
  readonly read: (bytes: Uint8Array) => ImportSource;
}

export const EXAMPLES: { readonly lanl: Example; readonly seattle: Example } = {
  lanl: {
    title: "failures of 22 systems at Los Alamos National Laboratory, 1995 to 2005",
    file: LANL_FILE,
    kind: LANL_KIND,
    policy: LANL_POLICY,
    read: lanlSource,
  },
  seattle: {
    title: "round-trip times between 99 devices of the Seattle peer-to-peer network",
    file: SEATTLE_FILE,
    kind: SEATTLE_KIND,
    policy: SEATTLE_POLICY,
    read: seattleSource,
  },
};
