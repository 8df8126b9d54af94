/** How the devices of Seattle are scored: `storage-provider`, but for what `README.md` gives reasons for. */
import type { PolicyDocument } from "@staunch/engine";

export const SEATTLE_POLICY = {
  name: "seattle-peers",
  reputation: {
    sources: ["network_latency"],
    metric_references: { network_latency: 600 },
    trust_threshold: 70,
  },
  tracking: { alerts: { opens_after: 98, closes_after: 98 } },
} as const satisfies PolicyDocument;
