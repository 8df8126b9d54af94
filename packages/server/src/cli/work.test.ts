import { createClient, type Client } from "@staunch/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestService, type TestService } from "../../../client/test/service.ts";
import type { Io } from "./output.ts";
import { run } from "./program.ts";

let service: TestService;
let client: Client;

beforeAll(async () => {
  service = await startTestService();
  client = createClient({ baseUrl: service.baseUrl, apiKey: service.adminKey });
  const job = { type: "job", subject: "worker-1", kind: "worker", outcome: "success" } as const;
  await client.events.ingest([
    ...[100, 200, 300, 400].map((ms) => ({ ...job, duration_ms: ms, earnings: 2.5 })),
    { ...job, outcome: "failure" },
    { ...job, outcome: "declined" },
    { type: "health", subject: "worker-1", kind: "worker", parts: { memory_usage: 98, response_time: 250 } },
    { ...job, subject: "worker-2" },
  ]);
});
afterAll(() => service.close());

test("worker tells jobs, durations and health, and why it may not be chosen", async () => {
  const text = await told("worker", "worker-1");
  expect(text).toContain("4 jobs completed, 1 failed, 0 timed out, 0 invalid: 80.0 % good");
  expect(text).toContain("1 declined");
  expect(text).toContain("earned 10");
  expect(text).toContain("takes 250 ms in the mean, lately half within 200 ms and 95 % within 400 ms");
  expect(text).toContain("memory_usage 98 (0.00)");
  expect(text).toContain("not eligible for selection:");
});

test("network tells the parts of its health", async () => {
  const text = await told("network");
  expect(text).toContain("network worker: health ");
  expect(text).toContain("2 known, 2 active, 1 healthy");
  expect(text).toContain("are good");
  expect(text).toMatch(/response 250 ms/u);
});

test("selection tells who bid, what each bid was worth, and what became of it", async () => {
  const bids = ["worker-1", "worker-2"].map((id) => ({ id, price: 10, time_ms: 1000 }));
  const made = await client.selections.make({ kind: "worker", bids, seed: 7 });
  await client.events.ingest({
    type: "job",
    subject: made.chosen!,
    outcome: "success",
    selection_id: made.id,
  });
  const text = await told("selection", made.id);
  expect(text).toContain(`${made.chosen} was chosen among 2 bids of worker`);
  expect(text).toContain("low_health");
  expect(text).toContain("outcome success, regret 0.0000");
  expect(JSON.parse(await told("selection", made.id, "--json"))).toMatchObject({ id: made.id, seed: 7 });
  expect(await ended("selection", "sel_1_9")).toBe(3);
});

async function told(...args: string[]): Promise<string> {
  const out: string[] = [];
  expect(await run(args, io(out))).toBe(0);
  return out.join("\n");
}

function ended(...args: string[]): Promise<number> {
  return run(args, io([]));
}

function io(out: string[]): Io {
  return {
    out: (line) => void out.push(line),
    err: () => undefined,
    isTerminal: false,
    redraw: () => undefined,
    hasColor: false,
    env: { STAUNCH_URL: service.baseUrl, STAUNCH_KEY: service.adminKey },
  };
}
