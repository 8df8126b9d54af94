import { describe, expect, test } from "vitest";
import { DAY_MS, HOUR_MS, Lab, metric, MINUTE_MS, T0, type Sample } from "../testing/lab.ts";
import { monitorVerdicts } from "./monitor-fault.ts";

/** Start of a window, after the days of history that each fleet has. */
const START = T0 + 10 * DAY_MS;

interface FleetOptions {
  /** Owner of a subject; its own without. */
  readonly operatorOf?: (subject: number) => string;
  /** Share of the six-hour blocks in which a subject was down so far. */
  readonly downShare?: (subject: number) => number;
}

/** Subjects with ten days of uptime behind them, a measurement a block. */
function fleet(count: number, { operatorOf, downShare = () => 0 }: FleetOptions = {}): Lab {
  const lab = new Lab();
  for (let subject = 0; subject < count; subject++) lab.register(`s-${subject}`);
  lab.apply(T0 - 1);
  if (operatorOf !== undefined) {
    const acts = Array.from({ length: count }, (_, subject) => {
      const by = { issuer: "key:test", reason: "test" };
      return { type: "subject.updated", subject, operator: operatorOf(subject), ...by } as const;
    });
    lab.apply(T0 - 1, { acts });
  }
  for (let block = 0; block < 40; block++) {
    const at = T0 + block * 6 * HOUR_MS;
    const samples = Array.from({ length: count }, (_, subject) => {
      // Spread evenly, so that every subject has its share of bad blocks.
      const share = downShare(subject);
      const isDown = Math.floor((block + 1) * share) > Math.floor(block * share);
      return metric(subject, "uptime", isDown ? 0 : 1, at);
    });
    lab.apply(at, { samples });
  }
  return lab;
}

/** A probe a minute of each subject over one window. */
function probes(
  monitor: string,
  subjects: readonly number[],
  isDown: (subject: number) => boolean,
): Sample[] {
  return Array.from({ length: 5 }, (_, minute) => minute).flatMap((minute) =>
    subjects.map((subject) => {
      const at = START + minute * MINUTE_MS;
      return metric(subject, "uptime", isDown(subject) ? 0 : 1, at, { monitor });
    }),
  );
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, subject) => subject);

/** The verdicts on a window in which these probes were made, found when it is over. */
function verdictsOn(lab: Lab, ...samples: readonly Sample[][]) {
  lab.apply(START + 5 * MINUTE_MS, { samples: samples.flat() });
  lab.apply(START + 5 * MINUTE_MS + 30_000);
  return lab.state.provisional.over(lab.state.now).flatMap((window) => monitorVerdicts(lab.state, window));
}

describe("a monitor failed", () => {
  test.each([40, 200])("when 19 of %i operators that hardly ever fail do so at once", (count) => {
    const [verdict, ...more] = verdictsOn(
      fleet(count),
      probes("m", upTo(count), (subject) => subject < 19),
    );
    expect(more).toEqual([]);
    expect(verdict).toMatchObject({ monitor: "m", from: START, to: START + 5 * MINUTE_MS });
    const { evidence } = verdict!;
    expect(evidence).toMatchObject({ metric: "uptime", operators: count, failing: 19, others: [] });
    expect(evidence.observed).toBeCloseTo(19 / count, 12);
    expect(evidence.tail).toBeLessThan(1e-6);
    expect(evidence.subjects).toEqual(upTo(19));
  });

  test("when it was out for two minutes of the window only", () => {
    const samples = probes("m", upTo(40), () => false).map((sample) =>
      sample.subject < 19 && sample.at < START + 2 * MINUTE_MS ? { ...sample, value: 0 } : sample,
    );
    expect(verdictsOn(fleet(40), samples)).toHaveLength(1);
  });

  test("when other monitors saw fewer than half of those up that it saw down", () => {
    const others = probes("n", upTo(40), (subject) => subject < 9);
    const [verdict] = verdictsOn(
      fleet(40),
      probes("m", upTo(40), (subject) => subject < 19),
      others,
    );
    expect(verdict!.monitor).toBe("m");
    expect(verdict!.evidence.others).toEqual([{ monitor: "n", measured: 19, failing: 9 }]);
  });
});

describe("those it measured failed", () => {
  test("when one of three is dead, or four of four", () => {
    expect(
      verdictsOn(
        fleet(3),
        probes("m", upTo(3), (subject) => subject === 0),
      ),
    ).toEqual([]);
    expect(
      verdictsOn(
        fleet(4),
        probes("m", upTo(4), () => true),
      ),
    ).toEqual([]);
    expect(
      verdictsOn(
        fleet(5),
        probes("m", upTo(5), () => true),
      ),
    ).toHaveLength(1);
  });

  test("when they are one operator's, however many they are", () => {
    const operatorOf = (subject: number): string => (subject < 30 ? "large" : `own-${subject}`);
    // Thirty machines of one operator and three others: four operators of 171.
    const lab = fleet(200, { operatorOf });
    expect(
      verdictsOn(
        lab,
        probes("m", upTo(200), (subject) => subject < 33),
      ),
    ).toEqual([]);
  });

  test("when they fail as often as that anyway", () => {
    const lab = fleet(40, { downShare: (subject) => (subject < 19 ? 0.8 : 0) });
    expect(
      verdictsOn(
        lab,
        probes("m", upTo(40), (subject) => subject < 19),
      ),
    ).toEqual([]);
  });

  test("when another monitor, or others together, saw half of them down", () => {
    const down = (subject: number): boolean => subject < 19;
    const seen = probes("m", upTo(40), down);
    const one = probes("n", upTo(40), (subject) => subject < 10);
    expect(verdictsOn(fleet(40), seen, one)).toEqual([]);
    const first = probes("n", upTo(5), down);
    const second = probes("o", [5, 6, 7, 8, 9], down);
    expect(verdictsOn(fleet(40), seen, first, second).filter(({ monitor }) => monitor === "m")).toEqual([]);
  });

  test("as far as can be told of a fleet that nobody knows anything of yet", () => {
    const lab = new Lab();
    for (let subject = 0; subject < 40; subject++) lab.register(`s-${subject}`);
    expect(
      verdictsOn(
        lab,
        probes("m", upTo(40), (subject) => subject < 19),
      ),
    ).toEqual([]);
  });
});
