import { createClient, type Client } from "@staunch/client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startTestService, type TestService } from "../../../client/test/service.ts";
import { run } from "./program.ts";

let service: TestService;
let client: Client;

beforeEach(async () => {
  service = await startTestService();
  client = createClient({ baseUrl: service.baseUrl, apiKey: service.adminKey });
  await client.subjects.write({ id: "worker-1", kind: "worker" });
});

afterEach(() => service.close());

test("a worker is shown with what keeps it from being chosen", async () => {
  expect((await lines("worker", "worker-1")).at(-1)).toBe("eligible for selection");
  await client.suspensions.start({ id: "worker-1", reason: "sick\u001b[2J" });
  const shown = await lines("worker", "worker-1");
  expect(shown.slice(-2)).toEqual([
    "not eligible for selection:",
    String.raw`  suspended until it is lifted: sick\u001b[2J`,
  ]);
  const json = JSON.parse((await lines("worker", "worker-1", "--json"))[0]!);
  expect(json).toMatchObject({ id: "worker-1", eligibility: { reasons: [{ code: "suspended" }] } });
  expect((await lines("show", "worker-1"))[0]).toMatch(/, suspended$/u);
});

test("reports are listed until somebody decides", async () => {
  expect(await lines("reports")).toEqual(["no report waits for a decision"]);
  const accusation = { id: "worker-1", reason: "forged a result", evidence: ["diff-1", "diff-2"] };
  const { id } = await client.misbehaviour.report(accusation);
  await client.misbehaviour.report(accusation);
  const [heading, first, ...more] = await lines("reports", "--limit", "1");
  expect(heading).toMatch(/^report +subject +reported +evidence +reason$/u);
  expect(first).toMatch(new RegExp(`^${id} +worker-1 +.* UTC +2 pieces +forged a result$`, "u"));
  expect(more).toEqual(["and more; --limit shows up to 500"]);
  expect(JSON.parse((await lines("reports", "--json"))[0]!).items).toHaveLength(2);
});

async function lines(...args: readonly string[]): Promise<string[]> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await run([...args], {
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
    isTerminal: false,
    redraw: () => undefined,
    hasColor: false,
    env: { STAUNCH_URL: service.baseUrl, STAUNCH_KEY: service.adminKey },
  });
  expect(code, err.join("\n")).toBe(0);
  return out;
}
