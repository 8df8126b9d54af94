import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DecisionWindow } from "./decision-window.ts";

const operators = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 60 });

function filled(size: number, decisions: readonly number[]): DecisionWindow {
  const window = new DecisionWindow(size);
  for (const operator of decisions) window.add(operator);
  return window;
}

function shareIn(decisions: readonly number[], operator: number): number {
  if (decisions.length === 0) return 0;
  return decisions.filter((one) => one === operator).length / decisions.length;
}

describe("DecisionWindow", () => {
  test("counts exactly the last decisions", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), operators, (size, decisions) => {
        const window = filled(size, decisions);
        const last = decisions.slice(-size);
        expect([...window.dump()]).toEqual(last);
        for (let operator = 0; operator < 5; operator++)
          expect(window.share(operator)).toBe(shareIn(last, operator));
      }),
    );
  });

  test("the share with the next decision is the share after it, but for a first one", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), operators, fc.nat(4), (size, decisions, operator) => {
        const after = [...decisions, operator].slice(-size);
        const isFirst = after.filter((one) => one === operator).length === 1;
        expect(filled(size, decisions).shareWithNext(operator)).toBe(isFirst ? 0 : shareIn(after, operator));
      }),
    );
  });

  test("what was dumped goes on as if nothing had been; a shorter window keeps the newest", () => {
    fc.assert(
      fc.property(operators, operators, fc.integer({ min: 1, max: 20 }), (before, after, size) => {
        const restored = filled(size, [9, 9, 9]);
        restored.restore(filled(20, before).dump());
        for (const operator of after) restored.add(operator);
        const straight = filled(size, [...before.slice(-20), ...after]);
        expect(restored.dump()).toEqual(straight.dump());
        for (const operator of [0, 1, 2, 3, 4, 9])
          expect(restored.shareWithNext(operator)).toBe(straight.shareWithNext(operator));
      }),
    );
  });

  test.each([0, -1, 1.5, 100_001])("there is no window of %d decisions", (size) => {
    expect(() => new DecisionWindow(size)).toThrow(RangeError);
  });
});
