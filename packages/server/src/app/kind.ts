/** Kind of a subject whose sender names none; the policy of the configuration is the policy of this kind. */
export const KIND_DEFAULT = "provider";
