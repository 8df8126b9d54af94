/** Everything that Staunch says and accepts on the wire. */
export * from "./common.ts";
export * from "./events.ts";
export * from "./keys.ts";
export * from "./live.ts";
export * from "./misbehaviour.ts";
export * from "./monitors.ts";
export * from "./policies.ts";
export * from "./problem.ts";
export * from "./rankings.ts";
export * from "./routes.ts";
export * from "./sanctions.ts";
export * from "./status.ts";
export * from "./subjects.ts";
export * from "./suspensions.ts";
export * from "./vocabulary.ts";
export * from "./work-events.ts";
export * from "./work.ts";
