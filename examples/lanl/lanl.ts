/**
 * Ten years of failures of 22 systems at Los Alamos as evidence about providers: one uptime sample per node and day
 * in service, and availability probes through each outage and its repair. `README.md` says what is assumed.
 */
import { brotliDecompressSync } from "node:zlib";
import { metricCode } from "../../packages/engine/src/event/metrics.ts";
import { BatchWriter } from "../batch-writer.ts";
import type { ImportBatch, ImportSource, ImportSubject } from "../import-source.ts";
import { buildFleet, type Fleet, type LanlNode, type Outage, RECOVERY_MS } from "./nodes.ts";
import { parseRecords } from "./records.ts";

/** The shipped file: the published CSV, compressed with Brotli. */
export const LANL_FILE = new URL("failures.csv.br", import.meta.url);

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** The CSV has 2.9 MB; whatever unpacks to much more is not it. */
const CSV_BYTES_MAX = 4 << 20;
/** Probes of one batch lie within this time, so that `loggedAt` stays near the records. */
const BATCH_MS = 6 * HOUR_MS;

/** An outage is probed closely at first, then half-hourly; after 48 probes (22 h) each 6 h is enough to know. */
const CLOSE_STEP_MS = 5 * MINUTE_MS;
const CLOSE_UNTIL_MS = 15 * MINUTE_MS;
const STEP_MS = 30 * MINUTE_MS;
const FREQUENT_PROBES_MAX = 48;
const SLOW_STEP_MS = 6 * HOUR_MS;

const UPTIME = metricCode("uptime");
const AVAILABILITY = metricCode("availability");
const MONITOR = "lanl-operations";

/** Reads the bytes of {@link LANL_FILE}; throws when they are not that file. */
export function lanlSource(bytes: Uint8Array): ImportSource {
  const csv = brotliDecompressSync(bytes, { maxOutputLength: CSV_BYTES_MAX }).toString("utf8");
  const fleet = buildFleet(parseRecords(csv));
  const probes = probesOf(fleet.nodes);
  const uptimeDays = fleet.nodes.reduce((days, node) => days + daysInService(node), 0);
  return {
    name: "lanl",
    subjectCount: fleet.nodes.length,
    sampleCount: uptimeDays + probes.length,
    firstAt: probes[0]!.at,
    lastAt: fleet.endsAt,
    batches: () => lanlBatches(fleet, probes),
  };
}

/** Subjects enter with the day they enter service; a day's probes come before its uptime, which is known at its end. */
function* lanlBatches(fleet: Fleet, probes: readonly Probe[]): Generator<ImportBatch, void, undefined> {
  const { nodes, endsAt } = fleet;
  const writer = new BatchWriter();
  const downByDay = downtimeByDay(nodes);
  let introduced = 0;
  let probed = 0;
  for (let day = nodes[0]!.serviceFrom; day < endsAt; day += DAY_MS) {
    while (introduced < nodes.length && nodes[introduced]!.serviceFrom <= day) {
      writer.introduce(subjectOf(nodes[introduced++]!));
    }
    const dayEnd = Math.min(day + DAY_MS, endsAt);
    for (let from = day; from < dayEnd; from += BATCH_MS) {
      probed = yield* probeBatches(writer, probes, probed, from, Math.min(from + BATCH_MS, dayEnd));
    }
    yield* uptimeBatches(writer, nodes.slice(0, introduced), downByDay.get(day) ?? [], day, dayEnd);
  }
}

/** The probes from number `next` on that were taken until `until`; returns the number of the first that is later. */
function* probeBatches(
  writer: BatchWriter,
  probes: readonly Probe[],
  next: number,
  from: number,
  until: number,
): Generator<ImportBatch, number, undefined> {
  let lastAt = from;
  let place = next;
  for (; place < probes.length && probes[place]!.at <= until; place++) {
    const { subject, value, at, cause } = probes[place]!;
    if (writer.isFull) yield writer.take(lastAt);
    writer.add(subject, AVAILABILITY, value, at, MONITOR, cause);
    lastAt = at;
  }
  if (!writer.isEmpty) yield writer.take(lastAt);
  return place;
}

/** The share of the day that each node in service was up. */
function* uptimeBatches(
  writer: BatchWriter,
  nodes: readonly LanlNode[],
  downs: readonly Down[],
  day: number,
  dayEnd: number,
): Generator<ImportBatch, void, undefined> {
  const downMs = new Float64Array(nodes.length);
  for (const { subject, ms } of downs) downMs[subject]! += ms;
  for (const [subject, node] of nodes.entries()) {
    if (node.serviceUntil <= day) continue;
    if (writer.isFull) yield writer.take(dayEnd);
    writer.add(subject, UPTIME, 1 - downMs[subject]! / (dayEnd - day), dayEnd, null, null);
  }
  if (!writer.isEmpty) yield writer.take(dayEnd);
}

function daysInService(node: LanlNode): number {
  return Math.ceil((node.serviceUntil - node.serviceFrom) / DAY_MS);
}

function subjectOf(node: LanlNode): ImportSubject {
  const { system, number, described } = node;
  return {
    id: `lanl-${system}-${number}`,
    kind: "provider",
    operator: `lanl-system-${system}`,
    attributes: {
      region: "Los Alamos",
      system,
      machine_type: described.machineType,
      processors: described.processors,
      memory_gb: described.memory,
      purpose: described.purpose,
    },
  };
}

interface Probe {
  readonly at: number;
  readonly subject: number;
  /** 0 while down, 1 after the repair. */
  readonly value: number;
  /** What brought the node down. */
  readonly cause: string;
}

/** All probes of all outages, in time order and then by subject. */
function probesOf(nodes: readonly LanlNode[]): Probe[] {
  const probes: Probe[] = [];
  for (const [subject, node] of nodes.entries()) {
    for (const [index, outage] of node.outages.entries()) {
      probeOutage(outage, subject, probes);
      probeRepair(outage, node.outages[index + 1]?.from ?? Infinity, subject, probes);
    }
  }
  return probes.sort((a, b) => a.at - b.at || a.subject - b.subject);
}

/** The first probe finds the node down even if the record says it was up again in the same minute. */
function probeOutage({ from, until, cause }: Outage, subject: number, probes: Probe[]): void {
  let at = from;
  let count = 0;
  do {
    probes.push({ at, subject, value: 0, cause });
    count += 1;
    at += count >= FREQUENT_PROBES_MAX ? SLOW_STEP_MS : at - from < CLOSE_UNTIL_MS ? CLOSE_STEP_MS : STEP_MS;
  } while (at < until);
}

/** Three probes find it up again, unless the next outage begins first. */
function probeRepair({ until, cause }: Outage, nextFrom: number, subject: number, probes: Probe[]): void {
  for (let at = until + CLOSE_STEP_MS; at <= until + RECOVERY_MS && at < nextFrom; at += CLOSE_STEP_MS) {
    probes.push({ at, subject, value: 1, cause });
  }
}

interface Down {
  readonly subject: number;
  readonly ms: number;
}

/** How long each node was down on each day, by the day's first instant. */
function downtimeByDay(nodes: readonly LanlNode[]): Map<number, Down[]> {
  const byDay = new Map<number, Down[]>();
  for (const [subject, node] of nodes.entries()) {
    for (const { from, until } of node.outages) {
      for (let day = Math.floor(from / DAY_MS) * DAY_MS; day < until; day += DAY_MS) {
        const ms = Math.min(until, day + DAY_MS) - Math.max(from, day);
        const downs = byDay.get(day);
        if (downs === undefined) byDay.set(day, [{ subject, ms }]);
        else downs.push({ subject, ms });
      }
    }
  }
  return byDay;
}
