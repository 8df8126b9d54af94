/** Who was in service when: every node of every system, those that never failed included. */
import type { FailureRecord } from "./records.ts";

const DAY_MS = 86_400_000;

/** A stretch of one node being down, not overlapping the node's others. */
export interface Outage {
  readonly from: number;
  /** Equal to `from` for the records that start and end in the same minute. */
  readonly until: number;
  readonly cause: string;
}

export interface LanlNode {
  readonly system: number;
  readonly number: number;
  /** A record that describes the machine: the node's first, else that of the node nearest below. */
  readonly described: FailureRecord;
  /** In service from midnight to midnight, or to the end of the records. */
  readonly serviceFrom: number;
  readonly serviceUntil: number;
  /** In time order. */
  readonly outages: readonly Outage[];
}

export interface Fleet {
  /** In order of entering service, then system, then number. */
  readonly nodes: readonly LanlNode[];
  /** The last repair: after it nothing is known. */
  readonly endsAt: number;
  /** Records left out because they name no node. */
  readonly recordsWithoutNode: number;
  /** Records that begin and end while another outage of the node lasts. */
  readonly recordsCovered: number;
}

/** Builds the fleet from all records (`README.md` lists what is assumed). */
export function buildFleet(records: readonly FailureRecord[]): Fleet {
  const endsAt = records.reduce((latest, record) => Math.max(latest, record.fixedAt), 0);
  const systems = Map.groupBy(
    records.filter((record) => record.node !== null),
    (record) => record.system,
  );
  const nodes = [...systems.values()].flatMap((ofSystem) => nodesOfSystem(ofSystem, endsAt));
  nodes.sort((a, b) => a.serviceFrom - b.serviceFrom || a.system - b.system || a.number - b.number);
  const named = [...systems.values()].reduce((count, ofSystem) => count + ofSystem.length, 0);
  const outages = nodes.reduce((count, node) => count + node.outages.length, 0);
  return { nodes, endsAt, recordsWithoutNode: records.length - named, recordsCovered: named - outages };
}

function nodesOfSystem(records: readonly FailureRecord[], endsAt: number): LanlNode[] {
  const byNode = Map.groupBy(records, (record) => record.node!);
  const knownFrom = records.reduce((earliest, record) => Math.min(earliest, record.startedAt), Infinity);
  const nodes: LanlNode[] = [];
  // The lowest node that failed is described by itself, and so is every silent one below it.
  const lowest = Math.min(...byNode.keys());
  let described = byNode.get(lowest)![0]!;
  for (const number of nodeNumbers([...byNode.keys()], records[0]!.nodesInSystem)) {
    const own = byNode.get(number) ?? [];
    described = own[0] ?? described;
    nodes.push({
      system: described.system,
      number,
      described,
      serviceFrom: Math.max(described.productionFrom ?? 0, Math.floor(knownFrom / DAY_MS) * DAY_MS),
      serviceUntil: Math.min(described.productionUntil ?? endsAt, endsAt),
      outages: disjointOutages(own),
    });
  }
  return nodes;
}

/**
 * The numbers of a system's nodes, rising: those that failed, and the silent ones fill the free numbers from the
 * system's first on. That is 0, but for system 14, whose 128 nodes are 128 to 255: the lowest number seen, rounded
 * down to a whole multiple of the size.
 */
function nodeNumbers(failed: readonly number[], size: number): number[] {
  const numbers = new Set(failed);
  if (numbers.size > size) throw new Error(`${numbers.size} nodes failed in a system of ${size}`);
  const first = Math.floor(Math.min(...failed) / size) * size;
  for (let number = first; numbers.size < size; number++) numbers.add(number);
  return [...numbers].sort((a, b) => a - b);
}

/** Where two records of a node overlap, the later one starts when the earlier one ends. */
function disjointOutages(records: readonly FailureRecord[]): Outage[] {
  const outages: Outage[] = [];
  let downUntil = -Infinity;
  for (const record of records.toSorted((a, b) => a.startedAt - b.startedAt || a.fixedAt - b.fixedAt)) {
    if (record.fixedAt < record.startedAt) throw new Error(`fixed before it started: ${record.startedAt}`);
    const isCovered = record.startedAt < downUntil && record.fixedAt <= downUntil;
    if (isCovered) continue;
    outages.push({ from: Math.max(record.startedAt, downUntil), until: record.fixedAt, cause: record.cause });
    downUntil = record.fixedAt;
  }
  return outages;
}
