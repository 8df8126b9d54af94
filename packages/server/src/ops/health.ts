/** Whether the service can do its work now. */

export interface HealthCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

export interface HealthSources {
  /** False while the service still fills itself, or is stopping. */
  readonly ready: () => boolean;
  /** Why nothing will be written until a restart; null while a write may succeed. A full disk heals with a write. */
  readonly stopped: () => string | null;
}

/** All checks; the service is ready when each is ok. */
export function checkHealth(sources: HealthSources): readonly HealthCheck[] {
  const ready = sources.ready();
  const stopped = sources.stopped();
  return [
    { name: "service", ok: ready, detail: ready ? "serving" : "restoring or stopping" },
    { name: "storage", ok: stopped === null, detail: stopped ?? "taking writes" },
  ];
}
