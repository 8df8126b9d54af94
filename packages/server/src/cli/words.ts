/** Explanations as a person reads them. */
import type * as contract from "@staunch/contract";
import type { Kind, State } from "@staunch/engine";
import type { z } from "zod";
import { count, minute, plural, points, printable, signed, table } from "./output.ts";

/** Penalties and improvements that are spelt out. */
const LISTED_MAX = 5;
/** What would show as 0.00 is not shown. */
const SHOWN_MIN = 0.005;

type Explanation = z.infer<typeof contract.Explanation>;

/** The kind that a command means when none is named. */
export function largestKind({ kinds }: State): Kind {
  return kinds.reduce((largest, kind) => (kind.table.count > largest.table.count ? kind : largest));
}

/** The whole explanation: what the score is, the sum behind it, and what would change it. */
export function explanationLines(explanation: Explanation): string[] {
  const { standing } = explanation;
  return [
    headline(standing),
    "",
    ...sumLines(standing),
    "",
    ...why(explanation),
    ...outlook(explanation),
    `As of ${minute(Date.parse(standing.as_of))}, policy ${standing.policy}.`,
  ];
}

/** One sentence: score, uncertainty, tier and place. */
export function headline(standing: contract.Standing): string {
  const owner = standing.operator === null ? "" : ` of ${printable(standing.operator)}`;
  const place =
    standing.place === null ? "not ranked" : `place ${count(standing.place)} of ${count(standing.ranked)}`;
  const out = `${standing.banned ? ", banned" : ""}${standing.suspended ? ", suspended" : ""}`;
  const interval = `${points(standing.lower)} to ${points(standing.upper)}`;
  return `${printable(standing.id)}${owner}: score ${points(standing.score)} (${interval}), ${standing.tier}, ${place}${out}`;
}

/** The score as a sum. */
function sumLines(standing: contract.Standing): string[] {
  const rows: string[][] = standing.components.map(({ name, weight, score, lower, upper }) => [
    name,
    points(score),
    `${points(lower)} to ${points(upper)}`,
    `x ${weight.toFixed(2)}`,
    signed(weight * score),
  ]);
  const rewards = totalPoints(standing.rewards);
  if (rewards > 0) rows.push(["rewards", "", "", "", signed(rewards)]);
  for (const { type, id, current_points: taken } of standing.penalties.slice(0, LISTED_MAX)) {
    if (taken > 0) rows.push([`${type} ${id}`, "", "", "", signed(-taken)]);
  }
  const rest = totalPoints(standing.penalties.slice(LISTED_MAX));
  if (rest > 0) rows.push(["other penalties", "", "", "", signed(-rest)]);
  const cut = standing.score - shownSum(standing);
  if (Math.abs(cut) >= SHOWN_MIN) rows.push(["end of the scale", "", "", "", signed(cut)]);
  return table(
    [
      ["component", "left"],
      ["score", "right"],
      ["interval", "right"],
      ["weight", "right"],
      ["points", "right"],
    ],
    rows,
  );
}

/** What the rows above add up to: more than the score where the scale ends before. */
function shownSum({ components, rewards, penalties }: contract.Standing): number {
  const base = components.reduce((sum, { weight, score }) => sum + weight * score, 0);
  return base + totalPoints(rewards) - totalPoints(penalties);
}

/** What sanctions add or take now. */
function totalPoints(sanctions: readonly { readonly current_points: number }[]): number {
  return sanctions.reduce((sum, { current_points: taken }) => sum + taken, 0);
}

/** What holds the score down, most costly first, in sentences. */
export function why({ standing, components }: Explanation): string[] {
  const lost = components
    .map((component) => ({ component, points: component.weight * (100 - component.score) }))
    .filter((one) => one.points >= 0.5)
    .toSorted((a, b) => b.points - a.points);
  const lines = lost.map(({ component, points: cost }) => {
    const jobs = component.signals
      .toSorted((a, b) => a.mean - b.mean)
      .map(({ signal, mean, trials }) => `${signal} ${mean.toFixed(4)} over ${plural(trials, "trial")}`);
    const metrics = component.metrics
      .toSorted((a, b) => a.mean - b.mean)
      .map(
        ({ metric, mean, observations }) =>
          `${metric} ${mean.toFixed(4)} over ${plural(observations, "observation")}`,
      )
      .concat(jobs)
      .join(", ");
    const silence =
      component.inactivity_points >= SHOWN_MIN
        ? `, ${points(component.inactivity_points)} of them by silence`
        : "";
    const evidence = metrics === "" ? "" : `: ${metrics}`;
    return `  ${component.name} at ${points(component.score)} costs ${points(cost)} points${silence}${evidence}`;
  });
  const counting = standing.penalties.filter(({ current_points: taken }) => taken > 0);
  for (const penalty of counting.slice(0, LISTED_MAX)) {
    const { expires_at: expiry } = penalty;
    const end = expiry === null ? "until revoked" : `until ${minute(Date.parse(expiry))}`;
    lines.push(
      `  a ${penalty.severity} penalty for ${penalty.type} costs ${points(penalty.current_points)} points ${end}: ${printable(penalty.reason)}`,
    );
  }
  const evidence = `${plural(standing.event_count, "event")} on ${plural(standing.evidence_days, "day")}`;
  const { last_evidence_at: newest } = standing;
  const last = newest === null ? "" : `, the last at ${minute(Date.parse(newest))}`;
  const head = lines.length === 0 ? "Nothing holds the score down" : "What holds the score down";
  return [`${head} (evidence: ${evidence}${last})${lines.length === 0 ? "." : ":"}`, ...lines];
}

function outlook(explanation: Explanation): string[] {
  const better = explanation.improvements
    .filter(({ gain }) => gain >= SHOWN_MIN)
    .slice(0, LISTED_MAX)
    .map((one) => `  ${improvementText(one)}`);
  const near = explanation.thresholds.map(thresholdText);
  return [
    ...(better.length === 0 ? [] : ["What would raise it most:", ...better]),
    ...(near.length === 0 ? [] : ["What is near:", ...near]),
  ];
}

function thresholdText({
  name,
  direction,
  score,
  distance,
  is_past: isPast,
  blocked_by: blockedBy,
  missing,
}: Explanation["thresholds"][number]): string {
  const where = `  ${name} ${direction === "above" ? "starts at" : "starts below"} ${points(score)}`;
  if (isPast) return `${where}, which is passed`;
  if (blockedBy === "trust") return `${where}, and needs ${points(missing)} more points of trust`;
  if (blockedBy === "evidence") return `${where}, and needs ${missing} more windows of evidence`;
  return distance === 0 ? `${where}, which is reached` : `${where}, ${points(distance)} points away`;
}

function improvementText({ action, name, gain, at }: Explanation["improvements"][number]): string {
  const up = `up to ${points(gain)} points`;
  switch (action) {
    case "improve_metric":
      return `a better ${name}: ${up}`;
    case "improve_jobs":
      return `a better ${name} of jobs: ${up}`;
    case "report_metric":
      return `reporting ${name}: ${up}`;
    case "penalty_ends":
      return `the end of penalty ${name}${at === null ? "" : ` at ${minute(Date.parse(at))}`}: ${up}`;
    case "keep_serving":
      return `serving on without penalties, which builds trust: ${up}`;
    default:
      return `reporting again: ${up}`;
  }
}
