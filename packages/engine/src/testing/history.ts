/** Random histories for property tests: what may happen to a few subjects, in the order of a log. */
import type { Act } from "../event/acts.ts";
import { METRICS } from "../event/metrics.ts";
import type { Policy } from "../policy/policy.ts";
import { PENALTY_TYPES, REWARD_TYPES, SEVERITIES } from "../policy/vocabulary.ts";
import { MONITOR_WINDOW_MS } from "../state/monitor-window.ts";
import {
  activation,
  ban,
  type Lab,
  metric,
  MINUTE_MS,
  penalty,
  report,
  reward,
  suspended,
  T0,
  verdict,
  type Parts,
  type Sample,
} from "./lab.ts";

/** Numbers 0..1 from a seed (xorshift32): the same history for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4_294_967_296;
  };
}

const SIGNED = { issuer: "key:test", reason: "test" };
const MONITORS = ["probe-fra", "probe-nyc"];

export interface HistoryOptions {
  readonly subjectsMax: number;
  /** Policies of which one is now and then activated. */
  readonly policies: readonly Policy[];
}

/** What one step of a history did; enough to do it again in another way. */
export interface Step {
  readonly loggedAt: number;
  readonly parts: readonly Parts[];
}

/** Lets a random history happen, a batch at a time. Ids of earlier sanctions are taken from the lab's own state. */
export class History {
  readonly lab: Lab;
  private readonly random: () => number;
  private readonly options: HistoryOptions;
  private now = T0;
  private names = 0;
  private requests = 0;

  constructor(lab: Lab, seed: number, options: HistoryOptions) {
    this.lab = lab;
    this.random = randomFrom(seed);
    this.options = options;
  }

  /** Applies the next batch and says what was in it. */
  step(): Step {
    const gaps = [
      0,
      0,
      1000,
      20_000,
      MINUTE_MS,
      MINUTE_MS,
      20 * MINUTE_MS,
      7 * 60 * MINUTE_MS,
      30 * 60 * MINUTE_MS,
    ];
    this.now += this.pick(gaps);
    while (this.names === 0 || (this.names < this.options.subjectsMax && this.random() < 0.4)) {
      this.lab.register(`subject-${this.names++}`);
    }
    const parts = Array.from({ length: Math.floor(this.random() * 4) }, () => this.parts());
    this.lab.apply(this.now, ...parts);
    return { loggedAt: this.now, parts };
  }

  private parts(): Parts {
    const samples =
      this.random() < 0.8
        ? Array.from({ length: 1 + Math.floor(this.random() * 24) }, () => this.sample())
        : [];
    const acts = this.random() < 0.35 ? [this.act()] : [];
    const chance = this.random();
    if (chance < 0.2)
      return { samples, acts, key: `key-${Math.floor(this.random() * 12)}`, requestHash: "same" };
    if (chance < 0.4)
      return { samples, acts, producer: "probe", sequence: ++this.requests - Math.floor(this.random() * 2) };
    return { samples, acts };
  }

  private sample(): Sample {
    const spec = this.pick(METRICS);
    const late = this.random() < 0.2 ? Math.floor(this.random() * 20 * 60) * MINUTE_MS : 0;
    const bad = this.random() < 0.4;
    const value =
      spec.shape === "bounded" ? (bad ? this.random() : 1) : spec.shape === "time" ? (bad ? 9000 : 80) : 3e6;
    const more =
      this.random() < 0.1 ? { failed: true } : this.random() < 0.1 ? { weight: 0.5 + this.random() } : {};
    const monitor = this.random() < 0.3 ? { monitor: this.pick(MONITORS) } : {};
    return metric(this.subject(), spec.name, value, this.now - late, { ...more, ...monitor });
  }

  private act(): Act {
    const subject = this.subject();
    if (this.random() < 0.2) return this.misbehaviour(subject);
    if (this.random() < 0.1) return this.suspension(subject);
    if (this.random() < 0.2) return this.maintenance(subject);
    const chance = this.random();
    const until = this.random() < 0.7 ? this.now + Math.floor(this.random() * 300) * MINUTE_MS : null;
    if (chance < 0.35) {
      return penalty(subject, {
        penalty: this.pick(PENALTY_TYPES.filter((type) => type !== "ban")),
        severity: this.pick(SEVERITIES),
        points: 1 + Math.floor(this.random() * 8),
        at: this.now,
        expiresAt: until,
        fade: this.random() < 0.5 ? "linear" : "none",
      });
    }
    if (chance < 0.42) return ban(subject, until);
    if (chance < 0.58) return reward(subject, { reward: this.pick(REWARD_TYPES), at: this.now });
    if (chance < 0.78) return { type: "penalty.revoked", penaltyId: this.penaltyId(subject), ...SIGNED };
    if (chance < 0.84) return { type: "reward.revoked", rewardId: this.rewardId(subject), ...SIGNED };
    if (chance < 0.9)
      return { type: "subject.updated", subject, attributes: { region: `r${subject}` }, ...SIGNED };
    if (chance < 0.93)
      return verdict(this.pick(MONITORS), this.now - this.pick([0, 1, 2]) * MONITOR_WINDOW_MS);
    if (chance < 0.96 || this.options.policies.length === 0) {
      return { type: "tier.cuts", kind: "provider", cuts: [90, 80, 70, 60], rated: 30, ...SIGNED };
    }
    return activation(this.pick(this.options.policies));
  }

  /** Accused by one, judged by another. */
  private misbehaviour(subject: number): Act {
    const reports = this.lab.state.sanctions.of(subject)?.reports ?? [];
    if (reports.length === 0 || this.random() < 0.5) return report(subject, { at: this.now });
    const reportId = this.pick(reports).id;
    const by = { issuer: this.pick(["key:judge", "key:judge", "key:test"]), reason: "test" };
    const type = this.random() < 0.7 ? "misbehaviour.confirmed" : "misbehaviour.dismissed";
    return { type, reportId, ...by };
  }

  private suspension(subject: number): Act {
    const suspensions = this.lab.state.sanctions.of(subject)?.suspensions ?? [];
    if (suspensions.length > 0 && this.random() < 0.4)
      return { type: "suspension.lifted", suspensionId: this.pick(suspensions).id, ...SIGNED };
    const expiresAt = this.random() < 0.8 ? this.now + Math.floor(this.random() * 300) * MINUTE_MS : null;
    return suspended(subject, { isAutomatic: this.random() < 0.6, expiresAt });
  }

  private maintenance(subject: number): Act {
    const windows = this.lab.state.sanctions.of(subject)?.maintenance ?? [];
    if (windows.length > 0 && this.random() < 0.3)
      return { type: "maintenance.cancelled", windowId: this.pick(windows).id, ...SIGNED };
    // Some are too late, too long or in each other's way.
    const from = this.now + Math.floor(this.random() * 90 - 10) * MINUTE_MS;
    return {
      type: "maintenance.announced",
      subject,
      from,
      to: from + this.pick([5, 60, 600]) * MINUTE_MS,
      ...SIGNED,
    };
  }

  private subject(): number {
    return Math.floor(this.random() * this.names);
  }

  private penaltyId(subject: number): string {
    const penalties = this.lab.state.sanctions.of(subject)?.penalties ?? [];
    return penalties.length === 0 ? "pen_unknown" : this.pick(penalties).id;
  }

  private rewardId(subject: number): string {
    const rewards = this.lab.state.sanctions.of(subject)?.rewards ?? [];
    return rewards.length === 0 ? "rew_unknown" : this.pick(rewards).id;
  }

  private pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.random() * items.length)]!;
  }
}
