/** What the transports are given: the use cases of one running service. */
import type { LogCapabilities } from "../ports/log.ts";
import type { SnapshotInfo } from "../ports/snapshots.ts";
import type { History } from "./history/history.ts";
import type { Ingest } from "./ingest/ingest.ts";
import type { Keys } from "./keys/keys.ts";
import type { LiveHub } from "./live/hub.ts";
import type { Maintenance } from "./maintenance/maintenance.ts";
import type { Misbehaviour } from "./misbehaviour/misbehaviour.ts";
import type { Partition } from "./partition/partition.ts";
import type { Policies } from "./policies/policies.ts";
import type { Rankings } from "./rankings/rankings.ts";
import type { Sanctions } from "./sanctions/sanctions.ts";
import type { Selections } from "./selections/selections.ts";
import type { Subjects } from "./subjects/subjects.ts";
import type { Suspensions } from "./suspensions/suspensions.ts";

export interface App {
  readonly partition: Partition;
  readonly ingest: Ingest;
  readonly subjects: Subjects;
  readonly history: Pick<History, "read" | "sanctionPage" | "lag" | "isTroubled">;
  readonly sanctions: Sanctions;
  readonly misbehaviour: Misbehaviour;
  readonly maintenance: Maintenance;
  readonly suspensions: Suspensions;
  readonly rankings: Rankings;
  readonly policies: Policies;
  readonly selections: Selections;
  readonly keys: Keys;
  readonly live: LiveHub;
  readonly service: ServiceFacts;
}

/** What only the composition root knows of the service. */
interface ServiceFacts {
  readonly version: string;
  /** Ms since 1970. */
  readonly startedAt: number;
  readonly storage: LogCapabilities;
  /** The newest complete snapshot, or null. */
  readonly snapshot: () => SnapshotInfo | null;
  /** False while the service is still filling itself or already stopping; reads are answered all the same. */
  readonly ready: () => boolean;
}
