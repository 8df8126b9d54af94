/** Bodies of JSON events, encoded before the clock starts. */
import { METRICS } from "@staunch/engine";
import { makeSamples, randomBits, subjectId } from "./fleet.ts";

export const EVENTS_PER_BODY = 1_000;

/** Bodies about random subjects of a fleet, each subject with its eight metrics, as one probe sends them. */
export function makeBodies(subjects: number, count: number, seed: number): string[] {
  const random = randomBits(seed);
  return Array.from({ length: count }, () => {
    const samples = makeSamples(subjects, EVENTS_PER_BODY, Date.now(), random);
    const events = Array.from({ length: EVENTS_PER_BODY }, (_, index) => eventText(samples, index));
    return `[${events.join(",")}]`;
  });
}

/** Bodies that name every subject of the fleet once. */
export function registeringBodies(subjects: number): string[] {
  const bodies: string[] = [];
  for (let first = 0; first < subjects; first += EVENTS_PER_BODY) {
    const count = Math.min(EVENTS_PER_BODY, subjects - first);
    const events = Array.from(
      { length: count },
      (_, index) =>
        `{"type":"metric","subject":"${subjectId(first + index)}","metric":"uptime","value":0.9995}`,
    );
    bodies.push(`[${events.join(",")}]`);
  }
  return bodies;
}

function eventText(samples: ReturnType<typeof makeSamples>, index: number): string {
  const metric = METRICS[samples.kind[index]!]!.name;
  const value = Number(samples.value[index]!.toPrecision(7));
  const at = Math.floor(samples.at[index]!);
  return `{"type":"metric","subject":"${subjectId(samples.subject[index]!)}","metric":"${metric}","value":${value},"at":${at}}`;
}
