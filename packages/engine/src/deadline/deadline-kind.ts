/** Kinds of deadlines: a sanction ends, or time alone is about to change what a subject is. */
export const DEADLINE_SANCTION = 0;
export const DEADLINE_CROSSING = 1;
