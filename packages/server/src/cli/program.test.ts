import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Explanation } from "@staunch/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Io } from "./output.ts";
import { run } from "./program.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "staunch-cli-"));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

describe("the command line", () => {
  test.each([
    [["explian", "node-1"], "Did you mean explain"],
    [["show"], "missing required argument"],
    [["replay", "lanl", "--clock", "tomorrow"], "Allowed choices are"],
    [["rank", "--limit", "0"], "whole number from 1 to 500"],
  ])("%j is a mistake of usage", async (args, message) => {
    const { code, err } = await ran(args);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  test("the help leads to examples and names the exit codes", async () => {
    const { code, out } = await ran(["--help"]);
    expect(code).toBe(0);
    expect(out).toContain("staunch replay lanl");
    expect(out).toContain("7 unreachable");
  });

  test("a service that does not answer has its own code, and in JSON a name", async () => {
    const { code, err } = await ran(["rank", "--url", "http://127.0.0.1:1", "--json"]);
    expect(code).toBe(7);
    expect(JSON.parse(err)).toMatchObject({ error: "unreachable" });
  });

  test("a data directory that is not there is not found, and not created", async () => {
    const missing = join(directory, "missing");
    const { code, err } = await ran(["log", "verify", "--data", missing]);
    expect(code).toBe(3);
    expect(err).toContain("--data");
    expect((await ran(["doctor", "--data", missing])).code).toBe(3);
  });
});

describe("policy check", () => {
  test("says what a valid policy changes", async () => {
    const file = await written("strict.yaml", "name: strict\nreputation:\n  initial_score: 60\n");
    const { code, out } = await ran(["policy", "check", file, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      valid: true,
      diff: [{ path: "name" }, { path: "reputation.initial_score", before: 75, after: 60 }],
    });
  });

  test("fails the check with every mistake", async () => {
    const file = await written("wrong.yaml", "reputation:\n  inital_score: 60\n  priorweight: 1\n");
    const { code, err } = await ran(["policy", "check", file]);
    expect(code).toBe(8);
    expect(err).toContain("initial_score");
    expect(err).toContain("prior_weight");
  });
});

describe("config print", () => {
  test("explains where each value comes from", async () => {
    const file = await written("staunch.yaml", "server:\n  port: 1234\n");
    const args = ["config", "print", "--explain", "--json", "--config", file, "--host", "0.0.0.0"];
    const settings = JSON.parse((await ran(args, { STAUNCH_LOG_LEVEL: "warn" })).out) as object[];
    expect(settings).toContainEqual({ path: "server.port", value: 1234, source: "file", name: file });
    expect(settings).toContainEqual({
      path: "server.host",
      value: "0.0.0.0",
      source: "flag",
      name: "--host",
    });
    expect(settings).toContainEqual({
      path: "log.level",
      value: "warn",
      source: "environment",
      name: "STAUNCH_LOG_LEVEL",
    });
  });
});

describe("replay of a file", () => {
  test("scores its events, whatever their order, and explains the last", async () => {
    const { code, out } = await ran(["replay", await written("events.ndjson", events()), "--json"]);
    expect(code).toBe(0);
    const result = JSON.parse(out);
    expect(result).toMatchObject({
      subjects: 3,
      events: 60,
      best: [{ id: "good" }, { id: "fair" }, { id: "bad" }],
    });
    // Of the shape that a service answers with.
    expect(Explanation.parse(result.worst_explained)).toEqual(result.worst_explained);
    expect(result.worst_explained.standing).toMatchObject({ id: "bad", operator: "acme", event_count: 20 });
    expect(Math.abs(Date.parse(result.as_of) - Date.now())).toBeLessThan(60_000);
  });

  test("keeps the recorded times when asked, and the log in the directory named", async () => {
    const data = join(directory, "data");
    const args = ["replay", await written("events.ndjson", events()), "--clock", "recorded", "--data", data];
    const { code, out } = await ran(args);
    expect(code).toBe(0);
    expect(out).toContain("As of 2020-01-20");
    const verified = JSON.parse((await ran(["log", "verify", "--data", data, "--json"])).out);
    expect(verified).toMatchObject({ type: "sound", trimmed: 0 });
    expect((await ran(args)).err).toContain("holds a log already");
    const policy = await written("harsh.yaml", "name: harsh\nreputation:\n  initial_score: 10\n");
    const report = JSON.parse((await ran(["backtest", policy, "--data", data, "--json"])).out);
    expect(report).toMatchObject({ kind: "provider", subjects: 3, down: 3, up: 0 });
  });

  test("names the line that is wrong", async () => {
    const file = await written(
      "events.ndjson",
      `${events()}\n{"type":"metric","subject":"x","metric":"uptime","value":2,"at":1}`,
    );
    const { code, err } = await ran(["replay", file]);
    expect(code).toBe(2);
    expect(err).toContain("line 62");
  });
});

describe("replay of a file of workers", () => {
  test("scores each by its jobs and reports, and explains the worst", async () => {
    const { code, out } = await ran(["replay", await written("work.ndjson", work()), "--json"]);
    expect(code).toBe(0);
    const result = JSON.parse(out);
    expect(result).toMatchObject({ subjects: 41, events: 40 * 30 + 40 * 30 + 1 });
    expect(result.best).toHaveLength(10);
    expect(result.worst[0]).toMatchObject({ id: "worker-39", place: 40 });
    const { standing } = Explanation.parse(result.worst_explained);
    expect(standing).toMatchObject({ id: "worker-39", kind: "worker", event_count: 60 });
    const success = standing.components.find(({ name }) => name === "success")!;
    // It did a third of its jobs well; the prior of 60 still shows.
    expect(success.score).toBeGreaterThan(100 / 3);
    expect(success.score).toBeLessThan(40);
    expect(success.lower).toBeLessThan(success.score);
    expect(standing.components.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["reliability", "efficiency", "consistency"]),
    );
  });

  test("is scored by the policy given, whatever the kind", async () => {
    const file = await written("gpu.ndjson", work().replaceAll('"worker"', '"gpu"'));
    expect((await ran(["replay", file])).err).toContain(
      `${file}, line 2: there is no policy for the kind gpu; give one with --policy`,
    );
    const policy = await written(
      "gpu.yaml",
      "extends: compute-worker\nname: gpu\nreputation:\n  initial_score: 90\n",
    );
    const { code, out } = await ran(["replay", file, "--policy", policy, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(out).worst_explained.standing).toMatchObject({ kind: "gpu" });
  });

  const job = { type: "job", subject: "w", kind: "worker", outcome: "success", at: 1 };
  const report = { type: "health", subject: "w", kind: "worker", parts: { cpu_usage: 50 }, at: 1 };
  test.each([
    ["a selection", { ...job, selection_id: "sel_4_0" }, "leave selection_id out"],
    ["no time", { ...job, at: undefined }, "a job event needs at"],
    ["a kind that reads no jobs", { ...job, kind: "provider" }, "does not read jobs; name another kind"],
    ["a kind that reads no health", { ...report, kind: undefined }, "does not read health"],
    ["a part that the policy does not know", { ...report, parts: { cpu: 1 } }, "did you mean cpu_usage?"],
    ["a percentage over 100", { ...report, parts: { cpu_usage: 101 } }, "cpu_usage"],
    ["used without reserved", { ...job, used: { cpu: 1 } }, "used says nothing without reserved"],
    [
      "an act",
      { type: "reward", subject: "w", reward: "high_uptime", points: 1, reason: "x" },
      "not reward; leave it out",
    ],
    ["no object", 7, "an event is a map"],
    [
      "another kind than before",
      { ...job, subject: "worker-0", kind: "provider" },
      "is of kind worker since its first mention",
    ],
  ])("names file and line of an event with %s, and what to do", async (_, event, words) => {
    const file = await written(
      "wrong.ndjson",
      `${work().split("\n").slice(0, 5).join("\n")}\n${JSON.stringify(event)}\n`,
    );
    const { code, err } = await ran(["replay", file]);
    expect(code).toBe(2);
    expect(err).toContain(`${file}, line 6: `);
    expect(err).toContain(words);
  });
});

async function ran(
  args: readonly string[],
  env: Io["env"] = {},
): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const io: Io = {
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
    isTerminal: false,
    redraw: () => undefined,
    hasColor: false,
    env: { ...env },
  };
  const code = await run(args, io);
  return { code, out: out.join("\n"), err: err.join("\n") };
}

async function written(name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text);
  return path;
}

/** Twenty days, newest first, of three subjects. */
function events(): string {
  const lines = [
    JSON.stringify({ type: "subject", subject: "bad", operator: "acme", attributes: { region: "eu" } }),
  ];
  for (let day = 20; day >= 1; day--) {
    for (const [subject, value] of Object.entries({ good: 1, fair: 0.97, bad: 0.5 })) {
      const at = `2020-01-${String(day).padStart(2, "0")}T12:00:00Z`;
      lines.push(JSON.stringify({ type: "metric", subject, metric: "uptime", value, at }));
    }
  }
  return lines.join("\n");
}

/** A disk, and forty workers that report health and end a job each day of April; the last fails two of three. */
function work(): string {
  const lines: object[] = [
    { type: "metric", subject: "disk", metric: "uptime", value: 1, at: "2020-04-01T00:00:00Z" },
  ];
  for (let day = 1; day <= 30; day++) {
    const at = `2020-04-${String(day).padStart(2, "0")}T12:00:00Z`;
    for (let number = 0; number < 40; number++) {
      const worker = { subject: `worker-${number}`, kind: "worker", at };
      const outcome = number === 39 && day % 3 !== 0 ? "failure" : "success";
      lines.push({ type: "job", ...worker, outcome, duration_ms: 900 + day, expected_ms: 1000 });
      lines.push({ type: "health", ...worker, parts: { memory_usage: 60 } });
    }
  }
  return lines.map((line) => JSON.stringify(line)).join("\n");
}
