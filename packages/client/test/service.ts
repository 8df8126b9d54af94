/** The real service in this process, on a free port and a directory of its own, for the tests of the client. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../server/src/config/load.ts";
import { createLogger } from "../../server/src/ops/log.ts";
import { startService } from "../../server/src/service.ts";
import type { ClientClock, Fetch } from "../src/index.ts";

export interface TestService {
  readonly baseUrl: string;
  readonly adminKey: string;
  /** Stops it and starts it again on the same directory and port. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function startTestService(): Promise<TestService> {
  const directory = await mkdtemp(join(tmpdir(), "staunch-client-"));
  const start = (port: number) => {
    const flags = { data: directory, port: String(port), exampleLoad: "false" };
    const loaded = loadConfig({ flags });
    if (loaded.type === "invalid") throw new Error(JSON.stringify(loaded.problems));
    const logger = createLogger("fatal", { write: () => undefined });
    return startService(loaded.config, { logger, clock: "system" });
  };
  let service = await start(0);
  const { address: baseUrl, adminKey } = service;
  return {
    baseUrl,
    adminKey: adminKey!,
    restart: async () => {
      await service.close();
      service = await start(Number(new URL(baseUrl).port));
    },
    close: async () => {
      await service.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A clock on which waiting takes no time, and which tells how long was waited. */
export function restlessClock(): ClientClock & { readonly waitsMs: number[] } {
  const waitsMs: number[] = [];
  let nowMs = Date.UTC(2026, 10, 25);
  return {
    waitsMs,
    now: () => nowMs,
    sleep: async (delayMs, signal) => {
      signal?.throwIfAborted();
      waitsMs.push(delayMs);
      nowMs += delayMs;
    },
  };
}

/** What stands between the client and the service for one request. */
export type Fault = (...request: Parameters<Fetch>) => Promise<Response>;

/** The real `fetch` behind faults, one for each request in turn; it notes every request. */
export function faultyFetch(...faults: readonly Fault[]) {
  const requests: { readonly url: string; readonly headers: { readonly [name: string]: string } }[] = [];
  const faulty: Fetch = async (url, init) => {
    const fault = faults[requests.length];
    requests.push({ url, headers: init.headers as { readonly [name: string]: string } });
    return fault?.(url, init) ?? fetch(url, init);
  };
  return { fetch: faulty, requests };
}
