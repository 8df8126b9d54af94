/**
 * Round-trip times between 99 devices of the Seattle peer-to-peer network as network_latency samples: the subject is
 * the device that answers, the monitor the one that asks. `README.md` says what is assumed.
 */
import { brotliDecompressSync } from "node:zlib";
import { metricCode } from "@staunch/engine";
import type {
  ImportBatch,
  ImportSource,
  ImportSubject,
} from "../../packages/server/src/app/import/import-source.ts";
import { BatchWriter } from "../batch-writer.ts";
import { DEVICES, PACKED_BYTES_MAX, type Rounds, SLICES, unpackRounds } from "./rounds.ts";

/** The shipped file: all rounds of measurement, packed by `pack.ts`. */
export const SEATTLE_FILE = new URL("rounds.bin.br", import.meta.url);

/** What a subject of this data set is. */
export const SEATTLE_KIND = "peer";

/** 688 slices over three hours, rounded to milliseconds. */
const SLICE_MS = 15_698;
/** The files carry no date; the measurements were published in 2015. */
const FIRST_AT = Date.UTC(2014, 6, 1);
/** Values are whole hundredths of a second. */
const MS_PER_UNIT = 10;

const NETWORK_LATENCY = metricCode("network_latency");

/** Reads the bytes of {@link SEATTLE_FILE}; throws when they are not that file. */
export function seattleSource(bytes: Uint8Array): ImportSource {
  const rounds = unpackRounds(brotliDecompressSync(bytes, { maxOutputLength: PACKED_BYTES_MAX }));
  return {
    name: "seattle",
    subjectCount: DEVICES,
    eventCount: countSamples(rounds),
    firstAt: FIRST_AT,
    lastAt: FIRST_AT + (SLICES - 1) * SLICE_MS,
    batches: () => seattleBatches(rounds),
  };
}

/** One batch a slice; the first introduces all devices. */
function* seattleBatches(rounds: Rounds): Generator<ImportBatch, void, undefined> {
  const writer = new BatchWriter();
  for (let device = 0; device < DEVICES; device++) writer.introduce(subjectOf(device));
  const names = Array.from({ length: DEVICES }, (_, device) => idOf(device));
  let round = 0;
  for (let slice = 0; slice < SLICES; slice++) {
    const at = FIRST_AT + slice * SLICE_MS;
    for (; round < rounds.count && rounds.slice[round] === slice; round++) {
      const monitor = rounds.monitor[round]!;
      for (let device = 0; device < DEVICES; device++) {
        const value = rounds.values[round * DEVICES + device]!;
        if (!isAnswer(monitor, device, value)) continue;
        writer.add(device, NETWORK_LATENCY, value * MS_PER_UNIT, at, names[monitor]!, null);
      }
    }
    if (!writer.isEmpty) yield writer.take(at);
  }
}

/** A device that asks itself measures nothing, and 0 stands for no answer. */
function isAnswer(monitor: number, device: number, value: number): boolean {
  return device !== monitor && value > 0;
}

function countSamples(rounds: Rounds): number {
  let count = 0;
  for (let round = 0; round < rounds.count; round++) {
    const monitor = rounds.monitor[round]!;
    for (let device = 0; device < DEVICES; device++) {
      if (isAnswer(monitor, device, rounds.values[round * DEVICES + device]!)) count += 1;
    }
  }
  return count;
}

function subjectOf(device: number): ImportSubject {
  return { id: idOf(device), kind: SEATTLE_KIND, operator: idOf(device), attributes: { network: "seattle" } };
}

/** Devices are numbered from 1, as the rows of the matrices are. */
function idOf(device: number): string {
  return `seattle-${device + 1}`;
}
