/** Who asks. Roles contain each other: an admin may do what an operator may, and so on. */
export const ROLES = ["viewer", "ingest", "operator", "admin"] as const;
export type Role = (typeof ROLES)[number];

export interface Principal {
  /** Public id of the API key, as it appears as the issuer of acts: `key:<id>`. */
  readonly id: string;
  readonly name: string;
  readonly role: Role;
}
