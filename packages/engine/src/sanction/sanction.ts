/** Penalties and rewards of subjects: what they cost or add at an instant, and the book that keeps all sanctions. */
import type { Context } from "../event/acts.ts";
import type { MetricName } from "../event/metrics.ts";
import type { Policy } from "../policy/policy.ts";
import { SEVERITIES, type PenaltyType, type RewardType, type Severity } from "../policy/vocabulary.ts";
import { nextTurn, type MaintenanceWindow } from "./maintenance.ts";
import { decidedPosition, dropDecided, type MisbehaviourReport } from "./misbehaviour.ts";
import { PendingReports } from "./pending-reports.ts";
import { SUSPENSIONS_ENDED_MAX, type Suspension } from "./suspension.ts";

export interface Penalty {
  readonly id: string;
  readonly subject: number;
  readonly type: PenaltyType;
  severity: Severity;
  /** Points before multiplier and weight, or null where `fraction` was given. */
  points: number | null;
  readonly fraction: number | null;
  /** Points off the score in full, before fading. */
  deduction: number;
  /** Trust points it costs; 0 for alerts. */
  trustImpact: number;
  readonly reason: string;
  readonly issuer: string;
  readonly evidence: readonly string[];
  readonly context: Context;
  /** The job it was for, or null. */
  readonly jobId: string | null;
  /** When the penalised thing happened, when the penalty was logged, and where in the log. */
  readonly at: number;
  readonly appliedAt: number;
  readonly position: number;
  readonly policy: string;
  expiresAt: number | null;
  readonly fade: "none" | "linear";
  /** Fading starts here; an alert that repeats starts over. */
  fadesFrom: number;
  status: "active" | "ended" | "revoked";
  endedAt: number | null;
  /** The alert behind it; null for penalties given by hand. */
  readonly alert: AlertFacts | null;
}

/** What opened or last extended an alert. */
export interface AlertFacts {
  readonly metric: MetricName;
  /** Alerts of one subject that opened close together share an incident, numbered by the first one's time. */
  readonly incident: number;
  value: number;
  threshold: number;
  open: boolean;
  /** Instant of its entry in the deadline queue; when that comes up too early, the entry follows the moved end. */
  queuedUntil: number;
}

export interface Reward {
  readonly id: string;
  readonly subject: number;
  readonly type: RewardType;
  /** Points as granted, and with the type's multiplier. */
  points: number;
  value: number;
  readonly reason: string;
  readonly issuer: string;
  readonly context: Context;
  readonly at: number;
  readonly appliedAt: number;
  readonly position: number;
  readonly expiresAt: number;
  status: "active" | "ended" | "revoked";
  endedAt: number | null;
}

export interface Sanctions {
  readonly penalties: Penalty[];
  readonly rewards: Reward[];
  readonly reports: MisbehaviourReport[];
  readonly suspensions: Suspension[];
  readonly maintenance: MaintenanceWindow[];
  /** No active one ends, and no maintenance begins, before this: until then nobody needs to look. Derived, so neither stored nor hashed. */
  nextEndAt: number;
  /** Instant of the entry in the deadline queue that stands for all windows; Infinity for none. Derived, too. */
  maintenanceQueuedAt: number;
}

/** The part that is stored. */
export type StoredSanctions = Omit<Sanctions, "nextEndAt" | "maintenanceQueuedAt">;

/** Active penalties and rewards a subject can have at once; one more is refused. */
export const SANCTIONS_ACTIVE_MAX = 1_000;
/** Ended ones kept in memory beside them, newest first to stay; the log keeps all. */
export const SANCTIONS_ENDED_MAX = 20;
/** A penalty that cost trust can be undone for half a year after it ended, so it is kept that long all the same. */
const APPEAL_MS = 183 * 86_400_000;

/** Full deduction of a penalty: points x severity multiplier x type weight, or fraction x maximum x type weight. */
export function fullDeduction(
  policy: Policy,
  type: PenaltyType,
  severity: Severity,
  points: number | null,
  fraction: number | null,
): number {
  const weight = policy.penaltyWeights[type];
  if (fraction !== null) return fraction * policy.maxScore * weight;
  return (points ?? 0) * policy.severityMultipliers[SEVERITIES.indexOf(severity)]! * weight;
}

/**
 * End and fading of a penalty, where whoever gives it leaves them to the policy: a type that has a duration lasts so
 * long from `fromMs` on and fades, but for a ban, which holds to its end; the others last until revoked.
 */
export function penaltyTerm(
  policy: Policy,
  type: PenaltyType,
  asked: { readonly expiresAt: number | null | undefined; readonly fade: Penalty["fade"] | undefined },
  fromMs: number,
): Pick<Penalty, "expiresAt" | "fade"> {
  const durationMs = policy.penaltyDurationsMs[type];
  const byPolicy = durationMs === null ? null : fromMs + durationMs;
  const expiresAt = asked.expiresAt === undefined ? byPolicy : asked.expiresAt;
  const fades = durationMs !== null && expiresAt !== null && type !== "ban";
  return { expiresAt, fade: asked.fade ?? (fades ? "linear" : "none") };
}

/** Points a penalty takes at `nowMs` on its own: all of it, what fading has left, or nothing. */
function deductionAt(penalty: Penalty, nowMs: number): number {
  if (penalty.status !== "active") return 0;
  const { expiresAt } = penalty;
  if (expiresAt === null) return penalty.deduction;
  if (nowMs >= expiresAt) return 0;
  if (penalty.fade === "none" || nowMs <= penalty.fadesFrom) return penalty.deduction;
  return (penalty.deduction * (expiresAt - nowMs)) / (expiresAt - penalty.fadesFrom);
}

/**
 * What each penalty takes at `nowMs`, in the list's order, written to `shares`; the sum is returned.
 *
 * Of alerts that belong to one incident only the largest counts, and all alerts together take at most `pointsMax`:
 * one outage seen by several metrics is one outage.
 */
export function sharesAt(
  penalties: readonly Penalty[],
  policy: Policy,
  nowMs: number,
  shares: number[],
): number {
  let total = 0;
  let alertsLeft = policy.alerts.pointsMax;
  shares.length = penalties.length;
  for (let index = 0; index < penalties.length; index++) {
    const penalty = penalties[index]!;
    let share = deductionAt(penalty, nowMs);
    if (share > 0 && penalty.alert !== null && policy.alerts.mode === "mean") {
      share = isLargestOfIncident(penalties, index, share, nowMs) ? Math.min(share, alertsLeft) : 0;
      alertsLeft -= share;
    }
    shares[index] = share;
    total += share;
  }
  return total;
}

/** What each reward adds at `nowMs`, in the list's order; together at most `rewardPointsMax`. */
export function rewardSharesAt(
  rewards: readonly Reward[],
  policy: Policy,
  nowMs: number,
  shares: number[],
): number {
  let total = 0;
  shares.length = rewards.length;
  for (let index = 0; index < rewards.length; index++) {
    const reward = rewards[index]!;
    const live = reward.status === "active" && nowMs < reward.expiresAt;
    const share = live ? Math.min(reward.value, policy.rewardPointsMax - total) : 0;
    shares[index] = share;
    total += share;
  }
  return total;
}

function isLargestOfIncident(
  penalties: readonly Penalty[],
  index: number,
  share: number,
  nowMs: number,
): boolean {
  const incident = penalties[index]!.alert!.incident;
  for (let other = 0; other < penalties.length; other++) {
    const penalty = penalties[other]!;
    if (other === index || penalty.alert === null || penalty.alert.incident !== incident) continue;
    const rival = deductionAt(penalty, nowMs);
    if (rival > share || (rival === share && other < index)) return false;
  }
  return true;
}

export function stored({
  penalties,
  rewards,
  reports,
  suspensions,
  maintenance,
}: Sanctions): StoredSanctions {
  return { penalties, rewards, reports, suspensions, maintenance };
}

/** When the next active one ends or the next maintenance begins; Infinity when none does. */
export function nextEnd({ penalties, rewards, suspensions, maintenance }: StoredSanctions): number {
  let next = Infinity;
  for (const { status, expiresAt } of penalties) {
    if (status === "active" && expiresAt !== null && expiresAt < next) next = expiresAt;
  }
  for (const { status, expiresAt } of rewards) if (status === "active" && expiresAt < next) next = expiresAt;
  for (const { status, expiresAt } of suspensions) {
    if (status === "active" && expiresAt !== null && expiresAt < next) next = expiresAt;
  }
  return Math.min(next, nextTurn(maintenance));
}

/** All sanctions by subject number, and by id. Subjects without any have no entry. */
export class SanctionBook {
  private readonly bySubject = new Map<number, Sanctions>();
  private readonly penaltyById = new Map<string, Penalty>();
  private readonly rewardById = new Map<string, Reward>();
  private readonly reportById = new Map<string, MisbehaviourReport>();
  /** Reports that nobody has decided. */
  readonly pendingReports = new PendingReports();
  private readonly suspensionById = new Map<string, Suspension>();
  private readonly inForce = new Map<number, Suspension>();
  private readonly windowById = new Map<string, MaintenanceWindow>();
  private readonly withWindows = new Set<number>();

  of(subject: number): Sanctions | undefined {
    return this.bySubject.get(subject);
  }

  penalty(id: string): Penalty | undefined {
    return this.penaltyById.get(id);
  }

  reward(id: string): Reward | undefined {
    return this.rewardById.get(id);
  }

  report(id: string): MisbehaviourReport | undefined {
    return this.reportById.get(id);
  }

  suspension(id: string): Suspension | undefined {
    return this.suspensionById.get(id);
  }

  /** Suspensions in force by subject; nobody has two. */
  get suspended(): ReadonlyMap<number, Suspension> {
    return this.inForce;
  }

  maintenance(id: string): MaintenanceWindow | undefined {
    return this.windowById.get(id);
  }

  /** Subjects that have ever announced maintenance. */
  get maintained(): ReadonlySet<number> {
    return this.withWindows;
  }

  addPenalty(penalty: Penalty): void {
    const sanctions = this.ensure(penalty.subject);
    const list = sanctions.penalties;
    list.push(penalty);
    if (penalty.expiresAt !== null) sanctions.nextEndAt = Math.min(sanctions.nextEndAt, penalty.expiresAt);
    this.penaltyById.set(penalty.id, penalty);
    const appealable = ({ trustImpact, endedAt }: Penalty): boolean =>
      trustImpact > 0 && endedAt !== null && penalty.appliedAt - endedAt < APPEAL_MS;
    for (const dropped of dropOldest(list, appealable)) this.penaltyById.delete(dropped.id);
  }

  addReward(reward: Reward): void {
    const sanctions = this.ensure(reward.subject);
    const list = sanctions.rewards;
    list.push(reward);
    sanctions.nextEndAt = Math.min(sanctions.nextEndAt, reward.expiresAt);
    this.rewardById.set(reward.id, reward);
    for (const dropped of dropOldest(list, () => false)) this.rewardById.delete(dropped.id);
  }

  addReport(report: MisbehaviourReport): void {
    this.ensure(report.subject).reports.push(report);
    this.reportById.set(report.id, report);
    this.pendingReports.add(report);
  }

  reportDecided(report: MisbehaviourReport): void {
    this.pendingReports.delete(report);
    const { reports } = this.ensure(report.subject);
    for (const { id } of dropDecided(reports, decidedPosition(report))) this.reportById.delete(id);
  }

  /** The subject has none in force. */
  addSuspension(suspension: Suspension): void {
    const { id, subject, expiresAt } = suspension;
    const sanctions = this.ensure(subject);
    sanctions.suspensions.push(suspension);
    if (expiresAt !== null) sanctions.nextEndAt = Math.min(sanctions.nextEndAt, expiresAt);
    this.suspensionById.set(id, suspension);
    this.inForce.set(subject, suspension);
    if (sanctions.suspensions.length > SUSPENSIONS_ENDED_MAX + 1)
      this.suspensionById.delete(sanctions.suspensions.shift()!.id);
  }

  /** Adds a window and drops those that ended or were cancelled before `keptFromMs`. */
  addMaintenance(window: MaintenanceWindow, keptFromMs: number): void {
    const sanctions = this.ensure(window.subject);
    const kept = sanctions.maintenance.filter(
      ({ cancellation, to }) => (cancellation?.at ?? to) >= keptFromMs,
    );
    for (const one of sanctions.maintenance) if (!kept.includes(one)) this.windowById.delete(one.id);
    sanctions.maintenance.splice(0, Infinity, ...kept, window);
    sanctions.nextEndAt = Math.min(sanctions.nextEndAt, window.from);
    this.windowById.set(window.id, window);
    this.withWindows.add(window.subject);
  }

  suspensionEnded(subject: number): void {
    this.inForce.delete(subject);
  }

  /** Replaces the sanctions of a subject by restored ones; older snapshots know fewer sorts of them. */
  restore(
    subject: number,
    restored: Pick<StoredSanctions, "penalties" | "rewards"> & Partial<StoredSanctions>,
  ): void {
    const sanctions: Sanctions = {
      reports: [],
      suspensions: [],
      maintenance: [],
      ...restored,
      nextEndAt: 0,
      maintenanceQueuedAt: Infinity,
    };
    this.bySubject.set(subject, sanctions);
    for (const penalty of sanctions.penalties) this.penaltyById.set(penalty.id, penalty);
    for (const reward of sanctions.rewards) this.rewardById.set(reward.id, reward);
    for (const report of sanctions.reports) {
      this.reportById.set(report.id, report);
      if (report.status === "pending") this.pendingReports.add(report);
    }
    for (const suspension of sanctions.suspensions) {
      this.suspensionById.set(suspension.id, suspension);
      if (suspension.status === "active") this.inForce.set(subject, suspension);
    }
    for (const window of sanctions.maintenance) this.windowById.set(window.id, window);
    if (sanctions.maintenance.length > 0) this.withWindows.add(subject);
  }

  private ensure(subject: number): Sanctions {
    let sanctions = this.bySubject.get(subject);
    if (sanctions === undefined) {
      sanctions = {
        penalties: [],
        rewards: [],
        reports: [],
        suspensions: [],
        maintenance: [],
        nextEndAt: Infinity,
        maintenanceQueuedAt: Infinity,
      };
      this.bySubject.set(subject, sanctions);
    }
    return sanctions;
  }
}

/** Drops the ended ones beyond the limit, oldest first, and returns them. */
function dropOldest<Item extends { status: string }>(list: Item[], isKept: (item: Item) => boolean): Item[] {
  if (list.length <= SANCTIONS_ENDED_MAX) return [];
  let surplus = list.filter(({ status }) => status !== "active").length - SANCTIONS_ENDED_MAX;
  const dropped: Item[] = [];
  // However many may be appealed against, a list has an end.
  const mayKeep = list.length <= SANCTIONS_ACTIVE_MAX;
  for (let index = 0; surplus > 0 && index < list.length; index++) {
    if (list[index]!.status === "active" || (mayKeep && isKept(list[index]!))) continue;
    dropped.push(list[index]!);
    list.splice(index, 1);
    index--;
    surplus--;
  }
  return dropped;
}
