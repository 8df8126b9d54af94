import { createClient } from "@staunch/client";
import { expect, test } from "vitest";
import { startTestService } from "../../../client/test/service.ts";
import type { Io } from "./output.ts";
import { run } from "./program.ts";

test("watch prints what happens until the service goes, and says that it went", async () => {
  const service = await startTestService();
  const { baseUrl, adminKey: apiKey } = service;
  const out: string[] = [];
  const err: string[] = [];
  const io: Io = {
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
    isTerminal: false,
    redraw: () => undefined,
    hasColor: false,
    env: { STAUNCH_URL: baseUrl, STAUNCH_KEY: apiKey },
  };
  const watching = run(["watch", "--json", "--subject", "node-1"], io);
  const client = createClient({ baseUrl, apiKey });
  // Until it is connected nothing is told, and when that is only its first line tells.
  for (let value = 1; out.length === 0; value *= 0.99)
    await client.events.ingest({ type: "metric", subject: "node-1", metric: "uptime", value });
  await service.close();
  expect(await watching).toBe(7);
  expect(JSON.parse(out[0]!)).toMatchObject({ type: "frame", changes: [{ subject: "node-1" }] });
  expect(JSON.parse(err[0]!)).toMatchObject({ error: "stream_ended" });
});

test("watch that is refused says why", async () => {
  const service = await startTestService();
  const err: string[] = [];
  const io: Io = {
    out: () => undefined,
    err: (line) => void err.push(line),
    isTerminal: false,
    redraw: () => undefined,
    hasColor: false,
    env: {},
  };
  expect(await run(["watch", "--url", service.baseUrl], io)).toBe(4);
  expect(err[0]).toContain("STAUNCH_KEY");
  await service.close();
});
