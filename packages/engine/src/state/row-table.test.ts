/** The layout of a row is part of what a snapshot holds. */
import { expect, test } from "vitest";
import { StateDigest } from "../num/hash.ts";
import { SNAPSHOT_VERSION } from "../snapshot/snapshot.ts";
import * as layout from "./row-table.ts";

/** Digest of every offset and size of the layout, by the version of snapshots that use it. */
const LAYOUTS: { readonly [version: number]: string } = { 2: "3a2b119c01c1cb4e" };

test("rows that lie differently have another snapshot version", () => {
  const digest = new StateDigest();
  for (const [name, value] of Object.entries(layout).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (typeof value === "number") digest.text(`${name}=${value}`);
  }
  digest.text(layout.SLOT_OFFSETS.join(","));
  // When this fails: raise SNAPSHOT_VERSION and add a line, because snapshots of the old layout must not be read.
  expect(digest.hex()).toBe(LAYOUTS[SNAPSHOT_VERSION]);
});
