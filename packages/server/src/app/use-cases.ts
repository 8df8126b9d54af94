import type { App } from "./app.ts";
import { Maintenance } from "./maintenance/maintenance.ts";
import { Misbehaviour } from "./misbehaviour/misbehaviour.ts";
import type { Partition } from "./partition/partition.ts";
import { Policies } from "./policies/policies.ts";
import { Rankings } from "./rankings/rankings.ts";
import { Sanctions } from "./sanctions/sanctions.ts";
import { Subjects } from "./subjects/subjects.ts";
import { Suspensions } from "./suspensions/suspensions.ts";

type OfPartition =
  | "subjects"
  | "sanctions"
  | "misbehaviour"
  | "suspensions"
  | "maintenance"
  | "rankings"
  | "policies";

/** The use cases that need nothing but the partition. */
export function useCasesOf(partition: Partition): Pick<App, OfPartition> {
  return {
    subjects: new Subjects(partition),
    sanctions: new Sanctions(partition),
    misbehaviour: new Misbehaviour(partition),
    suspensions: new Suspensions(partition),
    maintenance: new Maintenance(partition),
    rankings: new Rankings(partition),
    policies: new Policies(partition),
  };
}
