/** The fold as a machine: order, repeats, deadlines, refresh, effects. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Act } from "../event/acts.ts";
import { STORAGE_PROVIDER } from "../policy/presets.ts";
import { CHANGE_REASONS } from "../policy/vocabulary.ts";
import { stateHash } from "../read/digest.ts";
import { EVALUATED_AT, rowStart } from "../state/row-table.ts";
import { createState, type State } from "../state/state.ts";
import { History } from "../testing/history.ts";
import {
  activation,
  comparable,
  DAY_MS,
  entryOf,
  HOUR_MS,
  Lab,
  metric,
  MINUTE_MS,
  penalty,
  policyWith,
  reward,
  T0,
} from "../testing/lab.ts";
import { partsOf, restored } from "../testing/restart.ts";
import { SANCTIONS_ACTIVE_MAX, SANCTIONS_ENDED_MAX, type Penalty } from "../sanction/sanction.ts";
import { apply } from "./apply.ts";
import { DEADLINES_PER_BATCH_MAX } from "./deadlines.ts";

describe("a batch", () => {
  test("follows the one before it in position and in time", () => {
    const lab = new Lab();
    lab.apply(T0);
    expect(() => apply(lab.state, { position: 1, loggedAt: T0, entries: [] })).toThrow(RangeError);
    expect(() => apply(lab.state, { position: 2, loggedAt: T0 - 1, entries: [] })).toThrow(RangeError);
    apply(lab.state, { position: 9, loggedAt: T0, entries: [] });
    expect(lab.state.position).toBe(9);
  });

  test("may not skip a number, nor name a kind that does not exist", () => {
    const lab = new Lab();
    const skip = entryOf({ registrations: [{ number: 1, kind: "provider", id: "b" }] });
    expect(() => apply(lab.state, { position: 1, loggedAt: T0, entries: [skip] })).toThrow(RangeError);
    const stranger = entryOf({ registrations: [{ number: 0, kind: "planet", id: "b" }] });
    expect(() => apply(lab.state, { position: 2, loggedAt: T0, entries: [stranger] })).toThrow("planet");
  });

  test("of n entries does what n batches at the same time do, but for positions and ids", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const history = new History(new Lab(), seed, { subjectsMax: 8, policies: [] });
        for (let step = 0; step < 30; step++) history.step();
        const singles = createState({ seed: 3, policies: { provider: STORAGE_PROVIDER }, aggregates: false });
        const together = createState({
          seed: 3,
          policies: { provider: STORAGE_PROVIDER },
          aggregates: false,
        });
        let position = 0;
        const tickOf = (loggedAt: number) => ({ position: ++position, loggedAt, entries: [] });
        for (const { loggedAt, entries } of history.lab.log) {
          // What names ids depends on positions; everything else does not.
          const plain = entries.map((entry) => ({
            ...entry,
            acts: entry.acts.filter(
              (act) => !Object.keys(act).some((key) => key.endsWith("Id") && key !== "jobId"),
            ),
          }));
          // Time passes in both first; what remains happens at one instant.
          apply(together, tickOf(loggedAt));
          apply(together, { position: ++position, loggedAt, entries: plain });
          apply(singles, tickOf(loggedAt));
          for (const entry of plain) apply(singles, { position: ++position, loggedAt, entries: [entry] });
        }
        expect(comparable(singles)).toEqual(comparable(together));
      }),
      { numRuns: 25 },
    );
  });

  test("reports one change per subject: the first old score, the last new one, both to the hundredth", () => {
    const lab = new Lab();
    const first = lab.register("a");
    const second = lab.register("b");
    const { changes } = lab.apply(
      T0,
      { samples: [metric(first, "uptime", 0, T0), metric(second, "uptime", 1, T0)] },
      { acts: [reward(first), penalty(first)] },
    );
    expect(changes.count).toBe(2);
    expect([...changes.subject.subarray(0, 2)]).toEqual([first, second]);
    expect(changes.before[0]).toBe(75);
    expect(changes.after[0]).toBe(lab.score(first));
    // A change of less than a hundredth is none.
    expect(lab.apply(T0 + 1000).changes.count).toBe(0);
  });

  test.each([
    ["metric_update", 0],
    ["penalty_applied", 1],
    ["reward_granted", 2],
    ["score_decay", 3],
    ["score_recovery", 4],
    ["penalty_ended", 5],
    ["penalty_revoked", 6],
    ["reward_ended", 7],
  ])("names %s as the reason", (reason, code) => {
    const lab = new Lab();
    const subject = lab.register("a");
    const fading = penalty(subject, { points: 8, expiresAt: T0 + DAY_MS, fade: "linear" });
    const act = (): { changes: { count: number; reason: Uint8Array } } => {
      switch (reason) {
        case "metric_update":
          return lab.sample(subject, "uptime", 1, T0);
        case "penalty_applied":
          return lab.apply(T0, { acts: [penalty(subject)] });
        case "reward_granted":
          return lab.apply(T0, { acts: [reward(subject)] });
        case "score_decay":
          lab.apply(T0);
          return lab.apply(T0 + DAY_MS);
        case "score_recovery":
          lab.apply(T0, { acts: [fading] });
          return lab.apply(T0 + DAY_MS / 2);
        case "penalty_ended":
          lab.apply(T0, { acts: [fading] });
          return lab.apply(T0 + DAY_MS);
        case "penalty_revoked": {
          lab.apply(T0, { acts: [fading] });
          const { id } = lab.standing(subject).penalties[0]!.penalty;
          return lab.apply(T0 + 1, {
            acts: [{ type: "penalty.revoked", penaltyId: id, issuer: "a", reason: "b" }],
          });
        }
        default:
          lab.apply(T0, { acts: [reward(subject)] });
          return lab.apply(T0 + 30 * DAY_MS);
      }
    };
    const { changes } = act();
    expect(changes.count).toBe(1);
    expect(changes.reason[0]).toBe(code);
  });
});

describe("a repeat", () => {
  function labWithKey(): { lab: Lab; subject: number } {
    const lab = new Lab();
    const subject = lab.register("a");
    lab.apply(T0, { acts: [penalty(subject)], key: "k1", requestHash: "h1", answer: "first answer" });
    return { lab, subject };
  }

  test("of an idempotency key does nothing and gets the first answer, also later in the same batch", () => {
    const { lab, subject } = labWithKey();
    const before = lab.score(subject);
    const again = { acts: [penalty(subject)], key: "k1", requestHash: "h1", answer: "second answer" };
    const { results } = lab.apply(T0, again, again);
    const acts = [{ type: "done", id: lab.standing(subject).penalties[0]!.penalty.id }];
    expect(results).toEqual([
      { type: "repeated", answer: "first answer", acts, refusedJobs: [], selections: [] },
      { type: "repeated", answer: "first answer", acts, refusedJobs: [], selections: [] },
    ]);
    expect(lab.score(subject)).toBe(before);
    const twins = lab.apply(
      T0,
      { acts: [penalty(subject)], key: "k2" },
      { acts: [penalty(subject)], key: "k2" },
    );
    expect(twins.results.map(({ type }) => type)).toEqual(["applied", "repeated"]);
    expect(lab.standing(subject).penalties).toHaveLength(2);
  });

  test("of a key with another request is refused", () => {
    const { lab, subject } = labWithKey();
    const { results } = lab.apply(T0, { acts: [penalty(subject)], key: "k1", requestHash: "h2" });
    expect(results).toEqual([{ type: "key_reused" }]);
    expect(lab.standing(subject).penalties).toHaveLength(1);
  });

  test("of a producer's sequence does nothing; the next one counts, and other producers have their own", () => {
    const lab = new Lab();
    const subject = lab.register("a");
    const send = (producer: string, sequence: number): string =>
      lab.apply(T0, { samples: [metric(subject, "uptime", 1, T0)], producer, sequence }).results.at(-1)!.type;
    expect(send("probe", 3)).toBe("applied");
    expect(send("probe", 3)).toBe("repeated");
    expect(send("probe", 2)).toBe("repeated");
    expect(send("probe", 4)).toBe("applied");
    expect(send("other", 1)).toBe("applied");
    expect(lab.standing(subject).eventCount).toBe(3);
  });

  test("still registers the ids it was the first to name", () => {
    const lab = new Lab();
    lab.apply(T0, { key: "k" });
    const number = lab.state.ids.insert("late");
    const { results } = lab.apply(T0, {
      key: "k",
      registrations: [{ number, kind: "provider", id: "late" }],
    });
    expect(results[0]!.type).toBe("repeated");
    expect(lab.standing(number).id).toBe("late");
  });

  test("is forgotten after a day", () => {
    const { lab, subject } = labWithKey();
    lab.apply(T0 + DAY_MS, { key: "other" });
    const { results } = lab.apply(T0 + DAY_MS, { acts: [penalty(subject)], key: "k1", requestHash: "h1" });
    expect(results[0]!.type).toBe("applied");
  });
});

describe("deadlines", () => {
  test("are drained at most 10,000 with a batch; the next batch goes on", () => {
    const lab = new Lab(policyWith({ updateIntervalMs: 30 * DAY_MS }));
    const count = DEADLINES_PER_BATCH_MAX + 500;
    const subjects = Array.from({ length: count }, (_, index) => lab.register(`s${index}`));
    lab.apply(T0, { acts: subjects.map((subject) => penalty(subject, { expiresAt: T0 + 1000 })) });
    const ended = (loggedAt: number): number =>
      lab.apply(loggedAt).list.filter(({ type }) => type === "penalty.ended").length;
    expect(ended(T0 + 999)).toBe(0);
    expect(ended(T0 + 1000)).toBe(DEADLINES_PER_BATCH_MAX);
    expect(ended(T0 + 1000)).toBe(500);
    expect(ended(T0 + 1000)).toBe(0);
    expect(lab.state.deadlines.size).toBe(0);
  });

  test("that apply no longer do not put off those that do, so that a restart changes no batch", () => {
    const lab = new Lab(policyWith({ updateIntervalMs: 30 * DAY_MS }));
    const subjects = Array.from({ length: DEADLINES_PER_BATCH_MAX + 500 }, (_, index) =>
      lab.register(`s${index}`),
    );
    lab.apply(T0, { acts: subjects.map((subject) => penalty(subject, { expiresAt: T0 + 1000 })) });
    const revoked = subjects.map((subject): Act => {
      const [{ id: penaltyId }] = lab.state.sanctions.of(subject)!.penalties as [Penalty];
      return { type: "penalty.revoked", penaltyId, issuer: "key:test", reason: "test" };
    });
    lab.apply(T0 + 1, { acts: [...revoked, penalty(subjects.at(-1)!, { expiresAt: T0 + 1001 })] });
    const state = restored(partsOf(lab.state), lab, { seed: 99, policies: {}, aggregates: false });
    expect(lab.apply(T0 + 1001).list.filter(({ type }) => type === "penalty.ended")).toHaveLength(1);
    apply(state, lab.log.at(-1)!);
    expect(stateHash(state)).toBe(stateHash(lab.state));
  });

  test("that the refresh finds again have one entry", () => {
    const lab = new Lab(policyWith({ updateIntervalMs: 8 * HOUR_MS }));
    const subject = lab.register("a");
    const acts = [penalty(subject, { points: 30, at: T0, expiresAt: T0 + DAY_MS, fade: "linear" })];
    lab.apply(T0, { samples: [metric(subject, "uptime", 1, T0)], acts });
    const sizes = Array.from({ length: 40 }, (_, step) => {
      lab.apply(T0 + (step + 1) * 30 * MINUTE_MS);
      return lab.state.deadlines.size;
    });
    // The end of the penalty, and the instant at which the score is back above the threshold.
    expect(Math.max(...sizes)).toBe(2);
  });
});

describe("the refresh", () => {
  function evaluatedAt(state: State, subject: number): number {
    const row = state.places.rowOf(subject);
    return state.kinds[0]!.table.chunkOf(row).f64[rowStart(row) + EVALUATED_AT]!;
  }

  test.each([1, 7, 1000])("evaluates each of %d subjects within the update interval", (count) => {
    const lab = new Lab();
    const subjects = Array.from({ length: count }, (_, index) => lab.register(`s${index}`));
    lab.apply(T0);
    for (let now = T0 + 5000; now <= T0 + 10 * MINUTE_MS; now += 5000) {
      lab.apply(now, { samples: [metric(0, "uptime", 1, now)] });
      for (const subject of subjects)
        expect(now - evaluatedAt(lab.state, subject)).toBeLessThanOrEqual(MINUTE_MS + 5000);
    }
  });

  test("keeps the pace of the kind with the shortest interval", () => {
    const lab = new Lab(policyWith({ updateIntervalMs: DAY_MS }));
    lab.apply(T0, { acts: [activation(policyWith({ updateIntervalMs: MINUTE_MS }), "gateway")] });
    const subject = lab.register("g", "gateway");
    lab.apply(T0);
    lab.apply(T0 + MINUTE_MS);
    lab.apply(T0 + 2 * MINUTE_MS);
    const { chunks } = lab.state.kinds[1]!.table;
    expect(chunks[0]!.f64[EVALUATED_AT]).toBeGreaterThan(T0);
    expect(lab.standing(subject).kind).toBe("gateway");
  });

  test("evaluates everybody after a policy was activated", () => {
    const lab = new Lab();
    const subjects = Array.from({ length: 50 }, (_, index) => lab.register(`s${index}`));
    lab.apply(T0, { samples: subjects.map((subject) => metric(subject, "uptime", 1, T0)) });
    const { changes } = lab.apply(T0 + MINUTE_MS, { acts: [activation(policyWith({ initialScore: 50 }))] });
    const all = new Set(changes.subject.subarray(0, changes.count));
    const later = lab.apply(T0 + 2 * MINUTE_MS).changes;
    for (const subject of later.subject.subarray(0, later.count)) all.add(subject);
    expect(all.size).toBe(50);
  });
});

describe("sanctions", () => {
  test("are at most a thousand active ones of a subject", () => {
    const lab = new Lab();
    const subject = lab.register("a");
    const acts = Array.from({ length: SANCTIONS_ACTIVE_MAX + 1 }, () => penalty(subject, { points: 0.001 }));
    const { results } = lab.apply(T0, { acts });
    const last = results.at(-1)!;
    if (last.type !== "applied") throw new Error(last.type);
    expect(last.acts.at(-1)).toEqual({ type: "too_many_sanctions", limit: SANCTIONS_ACTIVE_MAX });
    expect(lab.standing(subject).penalties).toHaveLength(SANCTIONS_ACTIVE_MAX);
  });

  test("that ended are kept, the newest twenty, however many are active", () => {
    const lab = new Lab();
    const subject = lab.register("a");
    const lasting = Array.from({ length: 150 }, () => penalty(subject, { points: 0.001 }));
    lab.apply(T0, { acts: lasting });
    // Without a cost in trust nothing is left to appeal against once they have ended.
    const brief = (expiresAt: number) => penalty(subject, { points: 0, fraction: null, expiresAt });
    for (let index = 0; index < 120; index++) lab.apply(T0 + index, { acts: [brief(T0 + index)] });
    const { penalties } = lab.state.sanctions.of(subject)!;
    const ended = penalties.filter(({ status }) => status === "ended");
    expect(ended.length).toBeGreaterThanOrEqual(SANCTIONS_ENDED_MAX);
    expect(ended.length).toBeLessThanOrEqual(SANCTIONS_ENDED_MAX + 1);
    expect(ended.at(-1)!.expiresAt).toBe(T0 + 119);
    expect(penalties.filter(({ status }) => status === "active")).toHaveLength(150);
  });
});

describe("an activated policy", () => {
  test("is told as the reason at once, also for whoever events keep fresh", () => {
    const lab = new Lab();
    const subject = lab.register("a");
    for (let minute = 0; minute < 30; minute++) lab.sample(subject, "uptime", 1, T0 + minute * 60_000);
    const other = { ...STORAGE_PROVIDER, components: { uptime: 0.5, trust: 0.5 } };
    const { changes } = lab.apply(lab.state.now + 1, { acts: [activation(other)] });
    expect(changes.count).toBe(1);
    expect(CHANGE_REASONS[changes.reason[0]!]).toBe("policy_activated");
  });
});

describe("the state's hash", () => {
  test("tells states apart by a sample, a penalty, an attribute, cuts, a request, a selection and former owners", () => {
    const hash = (...parts: Parameters<Lab["apply"]>[1][]): string => {
      const lab = new Lab();
      lab.register("a");
      lab.apply(T0);
      lab.apply(T0, ...parts);
      return stateHash(lab.state);
    };
    const accountable = { issuer: "a", reason: "b" };
    const chosen = { kind: "provider", chosen: 0, operator: 0, record: new Uint8Array(0) };
    const owned = (operator: string | null): Act => ({
      type: "subject.updated",
      subject: 0,
      operator,
      ...accountable,
    });
    const hashes = [
      hash(),
      hash({ samples: [metric(0, "uptime", 1, T0)] }),
      hash({ acts: [penalty(0)] }),
      hash({ acts: [{ type: "subject.updated", subject: 0, attributes: { region: "eu" }, ...accountable }] }),
      hash({ acts: [{ type: "tier.cuts", kind: "provider", cuts: [4, 3, 2, 1], rated: 9, ...accountable }] }),
      hash({ key: "k" }),
      hash({ selections: [{ ...chosen, exploring: true }] }),
      hash({ selections: [{ ...chosen, exploring: false }] }),
      hash({ acts: [owned("acme"), owned(null)] }),
      hash({ acts: [owned("other"), owned(null)] }),
      hash({ acts: [owned(null), owned(null)] }),
      hash({ acts: [owned(null)] }),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(hash()).toBe(hashes[0]);
  });
});
