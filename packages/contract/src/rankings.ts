/** Rankings of a kind. */
import { z } from "zod";
import { Cursor, KindName, Limit, NextCursor, SubjectId, Time } from "./common.ts";

export const RankingPath = z.strictObject({ kind: KindName });
export const RankPath = z.strictObject({ kind: KindName, id: SubjectId });

export const RankingQuery = z.strictObject({
  order: z.enum(["best", "worst"]).default("best").describe("`worst` reaches down to the 10,000 worst."),
  cursor: Cursor,
  limit: Limit,
});

const place = z.int().describe("1 is best; ties share it.");

export const RankingPage = z
  .object({
    kind: z.string(),
    order: z.enum(["best", "worst"]),
    items: z.array(
      z.object({
        place,
        id: z.string(),
        score: z.number().describe("As last evaluated; what ranks is this rounded to .01."),
        lower: z.number(),
        upper: z.number(),
        tier: z.string(),
      }),
    ),
    ranked: z.int(),
    next: NextCursor,
    as_of: Time,
  })
  .meta({ id: "RankingPage" });

export const Rank = z
  .object({
    kind: z.string(),
    id: z.string(),
    place: place.nullable().describe("Null while not ranked: without evidence, or banned."),
    percentile: z.number().nullable().describe("Share of the ranked that are not better, 0..1."),
    ranked: z.int(),
    score: z.number(),
    tier: z.string(),
    as_of: Time,
  })
  .meta({ id: "Rank" });
