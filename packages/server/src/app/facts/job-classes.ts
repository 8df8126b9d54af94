/** Medians of how long the jobs of a class take: over all workers, so the fold cannot know them alone. */
import type { JobClassesMeasured, Kind } from "@staunch/engine";

/** Completed jobs, decayed, from which a median says something. */
const JOBS_MIN = 20;
/** A median that moved by less than this share is left as it is. */
const MOVE_MIN = 0.05;

/** The act that brings the medians of a kind's job classes up to date, or null when there is nothing to change. */
export function movedMedians({ name, jobClasses }: Kind): JobClassesMeasured | null {
  const { medians } = jobClasses;
  const moved = [...jobClasses].filter(({ jobClass, jobs, medianMs }) => {
    const before = medians.get(jobClass);
    return jobs >= JOBS_MIN && (before === undefined || Math.abs(medianMs / before - 1) >= MOVE_MIN);
  });
  const gone = [...medians.keys()].filter((jobClass) => !jobClasses.has(jobClass));
  if (moved.length + gone.length === 0) return null;
  return {
    type: "job_classes.measured",
    kind: name,
    medians: [...moved, ...gone.map((jobClass) => ({ jobClass, jobs: 0, medianMs: null }))],
    issuer: "staunch",
    reason: `medians of completed jobs; ${moved.length} moved, ${gone.length} forgotten`,
  };
}
