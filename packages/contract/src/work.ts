/** Workers: how one is doing, what selection chose among bids, and the health of a network. */
import { z } from "zod";
import { JobId, KindName, SubjectId, Time } from "./common.ts";
import { Aggregate } from "./subjects.ts";
import { JOB_OUTCOMES, SELECTION_METHODS } from "./vocabulary.ts";

/** Bids in one selection. */
const BIDS_MAX = 10_000;
const PRICE_MAX = 1e15;
const TIME_MAX_MS = 366 * 86_400_000;
const SEED_MAX = 0xffff_ffff;

const share = z.number().describe("0..1");

/** A decayed mean with its 95 % interval. */
const rate = z.object({ mean: share, lower: share, upper: share, trials: z.number() });

export const Work = z
  .object({
    id: z.string(),
    kind: z.string(),
    condition: z.number().describe("Score x momentum, in points: what selection and probation look at."),
    momentum: z.number().describe("1 when nothing failed of late, less in trouble."),
    state: z
      .enum(["unheard", "active", "silent"])
      .describe("Silent after three intervals without a sign of life."),
    healthy: z.boolean(),
    probation: z
      .object({
        since: Time,
        level: z.int().describe("Entries that are not forgiven; each doubles the good jobs needed to leave."),
        good_in_a_row: z.int(),
        good_needed: z.int(),
      })
      .nullable(),
    probation_limits: z
      .array(
        z.object({
          reason: z.enum(["momentum", "run", "recent", "score", "success"]),
          value: z.number(),
          limit: z.number(),
          begins: z.enum(["above", "below"]),
        }),
      )
      .describe(
        "What would put it on probation, and where that begins: momentum, failures in a row, share of recent jobs that failed, upper bound of score x momentum, and of the success rate once there are enough jobs.",
      ),
    health: z
      .object({
        score: z.number().describe("0..100, the middle of the interval."),
        lower: z.number(),
        upper: z.number(),
        reported: z.number().describe("What the report said when it was fresh."),
        reported_at: Time,
        parts: z.array(
          z.object({
            name: z.string(),
            value: z.number(),
            score: z.number().describe("0..100"),
            counts: z.boolean().describe("False for load while a job is assigned: working is not ill."),
          }),
        ),
      })
      .nullable()
      .describe("Null where no health was ever reported."),
    jobs: z.object({
      completed: z.int(),
      failed: z.int(),
      timed_out: z.int(),
      invalid: z.int(),
      declined: z.int(),
      client_faults: z.int(),
      success_rate: share.nullable(),
      mean_duration_ms: z
        .number()
        .nullable()
        .describe("Over all completed jobs that said how long they took."),
      durations: Aggregate.nullable().describe(
        "The same over the metric retention, in ms, with percentiles.",
      ),
      earnings: z.number(),
      mean_quality: share
        .nullable()
        .describe("Of the results of completed jobs, those without a word counting 1."),
      sla: rate.nullable().describe("Agreed service levels that were kept, of the jobs that said."),
      resource_use: rate
        .nullable()
        .describe("Used over reserved resources, of the completed jobs that said."),
      in_flight: z.int().describe("Selections without an outcome."),
      exploring: z.int(),
    }),
    as_of: Time,
  })
  .meta({ id: "Work" });

const Reason = z.string().describe("In words.");

/** The words of `excluded` in a selection, where they are about the subject and not about its load. */
export const Eligibility = z
  .object({
    id: z.string(),
    kind: z.string(),
    eligible: z.boolean().describe("Whether it takes part in the ordinary draw of selections."),
    reasons: z
      .array(
        z.discriminatedUnion("code", [
          z.object({
            code: z.literal("banned"),
            detail: Reason,
            penalty_id: z.string(),
            until: Time.nullable().describe("Null until it is revoked."),
          }),
          z.object({
            code: z.literal("suspended"),
            detail: Reason,
            suspension_id: z.string(),
            until: Time.nullable().describe("Null until it is lifted."),
          }),
          z.object({
            code: z.literal("maintenance"),
            detail: Reason,
            window_id: z.string(),
            until: Time,
          }),
          z.object({
            code: z.literal("silent"),
            detail: Reason,
            since: Time.describe("Its last sign of life."),
          }),
          z.object({
            code: z.literal("low_health"),
            detail: Reason,
            health: z.number().describe("0..100"),
            floor: z.number(),
          }),
          z.object({
            code: z.literal("probation"),
            detail: Reason,
            since: Time,
            good_in_a_row: z.int(),
            good_needed: z.int(),
          }),
          z.object({
            code: z.literal("condition"),
            detail: Reason,
            condition: z.number().describe("Score x momentum, 0..100."),
            floor: z.number().describe("At or under it a bid is worth nothing."),
          }),
        ]),
      )
      .describe("Why not, the gravest first. On probation, and with no condition, it may be explored."),
    as_of: Time,
  })
  .meta({ id: "Eligibility" });

const Bid = z.strictObject({
  id: SubjectId,
  price: z.number().min(0).max(PRICE_MAX).describe("What it asks, in the network's currency."),
  time_ms: z.number().gt(0).max(TIME_MAX_MS).describe("Estimated time to completion."),
});

export const SelectionRequest = z
  .strictObject({
    kind: KindName,
    bids: z.array(Bid).min(1).max(BIDS_MAX),
    method: z.enum(SELECTION_METHODS).optional().describe("How to choose; by the policy unless given."),
    price_reference: z
      .number()
      .gt(0)
      .max(PRICE_MAX)
      .optional()
      .describe("Price worth one half; the median unless given."),
    time_reference_ms: z.number().gt(0).max(TIME_MAX_MS).optional().describe("Likewise for times."),
    seed: z.int().min(0).max(SEED_MAX).optional().describe("Fixes all draws; drawn unless given."),
    job_id: JobId.optional(),
    job_class: z.string().min(1).max(256).optional(),
  })
  .meta({
    id: "SelectionRequest",
    examples: [
      {
        kind: "worker",
        bids: [
          { id: "worker-1", price: 10, time_ms: 1500 },
          { id: "worker-2", price: 12, time_ms: 900 },
        ],
        job_id: "job-4711",
      },
    ],
  });
export type SelectionRequest = z.infer<typeof SelectionRequest>;

export const SelectionPath = z.strictObject({
  id: z
    .string()
    .max(64)
    .meta({ examples: ["sel_4711_0"] }),
});

export const Selection = z
  .object({
    id: z.string().describe("Send it with the job's outcome as `selection_id`."),
    kind: z.string(),
    policy: z.string(),
    method: z.enum(SELECTION_METHODS),
    mode: z
      .enum(["draw", "exploration", "degraded", "none"])
      .describe("Degraded: only bids that caution shuts out were left. None: not even those."),
    chosen: z.string().nullable(),
    seed: z.int(),
    draws: z.array(z.number()).describe("Numbers drawn from the seed, in order."),
    pair: z.array(z.string()).describe("The two bids that were compared, with `power-of-two`."),
    pair_margin: z
      .number()
      .nullable()
      .describe(
        "Values of the pair that differ by less count as equal: then the one with fewer jobs goes first.",
      ),
    capped: z.string().nullable().describe("Drawn first, but its operator has its share already."),
    cap_yielded: z.boolean().describe("It was taken all the same, because no other bid was nearly as good."),
    price_reference: z.number().nullable(),
    time_reference_ms: z.number().nullable(),
    job_id: z.string().nullable(),
    job_class: z.string().nullable(),
    bids: z
      .array(
        z.object({
          id: z.string(),
          price: z.number(),
          time_ms: z.number(),
          value: share.describe("Sum of the parts x condition_factor x load_factor."),
          parts: z.object({ reputation: share, health: share, price: share, time: share }),
          condition_factor: share,
          load_factor: share,
          reputation: share,
          condition: z.number().describe("0..100"),
          health: share.nullable(),
          in_flight: z.number(),
          rate: share.nullable().describe("With `thompson` the success rate drawn for it."),
          excluded: z.string().nullable().describe("Why it took no part in the draw."),
        }),
      )
      .describe(
        "The chosen first, then those that could have been, then the excluded, each by value; at most 1,000.",
      ),
    bids_omitted: z.int().describe("Bids behind those."),
    made_at: Time,
    outcome: z.enum(JOB_OUTCOMES).nullable().describe("Null while it is open, and where none came in time."),
    closed_at: Time.nullable(),
    regret: z
      .number()
      .nullable()
      .describe(
        "Value of the best bid that could have been chosen less that of the chosen; once there is an outcome.",
      ),
  })
  .meta({ id: "Selection" });

export const JobClassList = z
  .object({
    kind: z.string(),
    items: z.array(
      z.object({
        job_class: z.string(),
        median_ms: z.number().nullable().describe("What jobs are measured by; null while too few are known."),
        observed_ms: z.number().nullable().describe("Median of the completed jobs as of now, within 1 %."),
        jobs: z.number().describe("Completed jobs behind it, those long ago counting less."),
      }),
    ),
    as_of: Time,
  })
  .meta({ id: "JobClassList" });

export const NetworkPath = z.strictObject({ kind: KindName });

export const Network = z
  .object({
    kind: z.string(),
    known: z.int(),
    rated: z.int().describe("Heard at some time."),
    active: z.int().describe("Heard within three health intervals."),
    healthy: z.int().describe("Of the active, neither ill nor shut out."),
    suspended: z.int(),
    banned: z.int(),
    average_score: z.number().nullable(),
    average_response_ms: z.number().nullable(),
    success_rate: share.nullable().describe("Decayed share of good jobs."),
    open_selections: z.int(),
    health: z.number().nullable().describe("0..100; null where nothing is known."),
    parts: z.array(
      z.object({
        name: z.enum(["healthy", "success", "reputation", "response"]),
        value: share.nullable(),
        weight: share,
      }),
    ),
    as_of: Time,
  })
  .meta({ id: "Network" });
