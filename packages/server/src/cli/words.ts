/** Standings and explanations as a person reads them. The engine and the wire give the same facts in other shapes. */
import type { Explanation as EngineExplanation, Kind, State } from "@staunch/engine";
import type { z } from "zod";
import type { Explanation as WireExplanation } from "@staunch/contract";
import { count, minute, plural, points, printable, signed, table } from "./output.ts";

/** Penalties and improvements that are spelt out. */
const LISTED_MAX = 5;
/** What would show as 0.00 is not shown. */
const SHOWN_MIN = 0.005;

export interface ExplanationView {
  readonly id: string;
  readonly kind: string;
  readonly operator: string | null;
  readonly policy: string;
  readonly score: number;
  readonly lower: number;
  readonly upper: number;
  readonly tier: string;
  readonly place: number | null;
  readonly ranked: number;
  readonly banned: boolean;
  readonly eventCount: number;
  readonly evidenceDays: number;
  readonly lastEvidenceAt: number | null;
  readonly asOf: number;
  readonly components: readonly ComponentView[];
  readonly penalties: readonly PenaltyView[];
  readonly rewardPoints: number;
  readonly improvements: readonly ImprovementView[];
  readonly thresholds: readonly ThresholdView[];
}

interface ComponentView {
  readonly name: string;
  readonly weight: number;
  readonly score: number;
  readonly lower: number;
  readonly upper: number;
  readonly inactivityPoints: number;
  readonly metrics: readonly {
    readonly metric: string;
    readonly mean: number;
    readonly observations: number;
  }[];
}

interface PenaltyView {
  readonly id: string;
  readonly type: string;
  readonly severity: string;
  readonly points: number;
  readonly reason: string;
  readonly at: number;
  readonly expiresAt: number | null;
}

interface ImprovementView {
  readonly action: string;
  readonly name: string;
  readonly gain: number;
  readonly at: number | null;
}

interface ThresholdView {
  readonly name: string;
  readonly direction: "above" | "below";
  readonly score: number;
  readonly distance: number;
  readonly isPast: boolean;
  readonly blockedBy: "trust" | "evidence" | null;
  readonly missing: number;
}

/** The kind that a command means when none is named. */
export function largestKind({ kinds }: State): Kind {
  return kinds.reduce((largest, kind) => (kind.table.count > largest.table.count ? kind : largest));
}

export function fromEngine(explanation: EngineExplanation): ExplanationView {
  const { standing, components, improvements, thresholds } = explanation;
  return {
    ...standing,
    components,
    penalties: standing.penalties.map(({ penalty, points: taken }) => ({ ...penalty, points: taken })),
    rewardPoints: standing.rewards.reduce((sum, reward) => sum + reward.points, 0),
    improvements,
    thresholds,
  };
}

export function fromWire(explanation: z.infer<typeof WireExplanation>): ExplanationView {
  const { standing, components, improvements, thresholds } = explanation;
  return {
    ...standing,
    eventCount: standing.event_count,
    evidenceDays: standing.evidence_days,
    lastEvidenceAt: standing.last_evidence_at === null ? null : Date.parse(standing.last_evidence_at),
    asOf: Date.parse(standing.as_of),
    components: components.map((one) => ({ ...one, inactivityPoints: one.inactivity_points })),
    penalties: standing.penalties.map((one) => ({
      ...one,
      points: one.current_points,
      at: Date.parse(one.at),
      expiresAt: one.expires_at === null ? null : Date.parse(one.expires_at),
    })),
    rewardPoints: standing.rewards.reduce((sum, reward) => sum + reward.current_points, 0),
    improvements: improvements.map((one) => ({ ...one, at: one.at === null ? null : Date.parse(one.at) })),
    thresholds: thresholds.map((one) => ({ ...one, isPast: one.is_past, blockedBy: one.blocked_by })),
  };
}

/** The whole explanation: what the score is, the sum behind it, and what would change it. */
export function explanationLines(view: ExplanationView): string[] {
  return [
    headline(view),
    "",
    ...sumLines(view),
    "",
    ...why(view),
    ...outlook(view),
    `As of ${minute(view.asOf)}, policy ${view.policy}.`,
  ];
}

/** One sentence: score, uncertainty, tier and place. */
export function headline(view: ExplanationView): string {
  const owner = view.operator === null ? "" : ` of ${printable(view.operator)}`;
  const place = view.place === null ? "not ranked" : `place ${count(view.place)} of ${count(view.ranked)}`;
  const banned = view.banned ? ", banned" : "";
  const interval = `${points(view.lower)} to ${points(view.upper)}`;
  return `${printable(view.id)}${owner}: score ${points(view.score)} (${interval}), ${view.tier}, ${place}${banned}`;
}

/** The score as a sum. */
function sumLines(view: ExplanationView): string[] {
  const rows: string[][] = view.components.map(({ name, weight, score, lower, upper }) => [
    name,
    points(score),
    `${points(lower)} to ${points(upper)}`,
    `x ${weight.toFixed(2)}`,
    signed(weight * score),
  ]);
  if (view.rewardPoints > 0) rows.push(["rewards", "", "", "", signed(view.rewardPoints)]);
  for (const penalty of view.penalties.slice(0, LISTED_MAX)) {
    if (penalty.points > 0) rows.push([`${penalty.type} ${penalty.id}`, "", "", "", signed(-penalty.points)]);
  }
  const rest = view.penalties.slice(LISTED_MAX).reduce((sum, { points: taken }) => sum + taken, 0);
  if (rest > 0) rows.push(["other penalties", "", "", "", signed(-rest)]);
  const cut = view.score - shownSum(view);
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
function shownSum({ components, rewardPoints, penalties }: ExplanationView): number {
  const base = components.reduce((sum, { weight, score }) => sum + weight * score, 0);
  return base + rewardPoints - penalties.reduce((sum, penalty) => sum + penalty.points, 0);
}

/** What holds the score down, most costly first, in sentences. */
export function why(view: ExplanationView): string[] {
  const lost = view.components
    .map((component) => ({ component, points: component.weight * (100 - component.score) }))
    .filter((one) => one.points >= 0.5)
    .toSorted((a, b) => b.points - a.points);
  const lines = lost.map(({ component, points: cost }) => {
    const metrics = component.metrics
      .toSorted((a, b) => a.mean - b.mean)
      .map(
        ({ metric, mean, observations }) =>
          `${metric} ${mean.toFixed(4)} over ${plural(observations, "observation")}`,
      )
      .join(", ");
    const silence =
      component.inactivityPoints >= SHOWN_MIN
        ? `, ${points(component.inactivityPoints)} of them by silence`
        : "";
    const evidence = metrics === "" ? "" : `: ${metrics}`;
    return `  ${component.name} at ${points(component.score)} costs ${points(cost)} points${silence}${evidence}`;
  });
  for (const penalty of view.penalties.filter(({ points: taken }) => taken > 0).slice(0, LISTED_MAX)) {
    const end = penalty.expiresAt === null ? "until revoked" : `until ${minute(penalty.expiresAt)}`;
    lines.push(
      `  a ${penalty.severity} penalty for ${penalty.type} costs ${points(penalty.points)} points ${end}: ${printable(penalty.reason)}`,
    );
  }
  const evidence = `${plural(view.eventCount, "event")} on ${plural(view.evidenceDays, "day")}`;
  const last = view.lastEvidenceAt === null ? "" : `, the last at ${minute(view.lastEvidenceAt)}`;
  const head = lines.length === 0 ? "Nothing holds the score down" : "What holds the score down";
  return [`${head} (evidence: ${evidence}${last})${lines.length === 0 ? "." : ":"}`, ...lines];
}

function outlook(view: ExplanationView): string[] {
  const better = view.improvements
    .filter(({ gain }) => gain >= SHOWN_MIN)
    .slice(0, LISTED_MAX)
    .map((one) => `  ${improvementText(one)}`);
  const near = view.thresholds.map(thresholdText);
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
  isPast,
  blockedBy,
  missing,
}: ThresholdView): string {
  const where = `  ${name} ${direction === "above" ? "starts at" : "starts below"} ${points(score)}`;
  if (isPast) return `${where}, which is passed`;
  if (blockedBy === "trust") return `${where}, and needs ${points(missing)} more points of trust`;
  if (blockedBy === "evidence") return `${where}, and needs ${missing} more windows of evidence`;
  return distance === 0 ? `${where}, which is reached` : `${where}, ${points(distance)} points away`;
}

function improvementText({ action, name, gain, at }: ImprovementView): string {
  const up = `up to ${points(gain)} points`;
  switch (action) {
    case "improve_metric":
      return `a better ${name}: ${up}`;
    case "report_metric":
      return `reporting ${name}: ${up}`;
    case "penalty_ends":
      return `the end of penalty ${name}${at === null ? "" : ` at ${minute(at)}`}: ${up}`;
    case "keep_serving":
      return `serving on without penalties, which builds trust: ${up}`;
    default:
      return `reporting again: ${up}`;
  }
}
