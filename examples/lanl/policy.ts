/** How the nodes of Los Alamos are scored: `storage-provider`, but for what `README.md` gives reasons for. */
import type { PolicyDocument } from "@staunch/engine";

export const LANL_POLICY = {
  name: "lanl-nodes",
  reputation: {
    sources: ["uptime"],
    reward_rules: {
      thresholds: {
        high_uptime: null,
        fast_response: null,
        data_integrity: null,
        long_term_service: null,
        exceptional_performance: null,
      },
    },
    tiers: { mode: "score", score_cuts: [99.99, 99.9, 99, 95] },
  },
  tracking: {
    metric_retention: "720h",
    aggregate_interval: "24h",
    alerts: { opens_after: 1, closes_after: 1, duration: "48h" },
  },
} as const satisfies PolicyDocument;
