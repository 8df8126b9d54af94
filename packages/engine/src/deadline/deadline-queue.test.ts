import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Deadline, DeadlineQueue } from "./deadline-queue.ts";

const deadline = fc.record({
  dueAtMs: fc.oneof(
    fc.nat(5),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((at) => at + 0),
  ),
  subject: fc.oneof(fc.nat(3), fc.nat(0xffffffff)),
});

function inOrder(deadlines: readonly Deadline[]): Deadline[] {
  return deadlines.toSorted((a, b) => a.dueAtMs - b.dueAtMs || a.subject - b.subject);
}

function queueOf(deadlines: readonly Deadline[]): DeadlineQueue {
  const queue = new DeadlineQueue();
  for (const { dueAtMs, subject } of deadlines) queue.push(dueAtMs, subject);
  return queue;
}

function drain(queue: DeadlineQueue, nowMs: number): Deadline[] {
  const due: Deadline[] = [];
  for (let next = queue.popDue(nowMs); next !== null; next = queue.popDue(nowMs)) due.push(next);
  return due;
}

describe("DeadlineQueue", () => {
  test("gives back what was pushed in the order of time and subject", () => {
    fc.assert(
      fc.property(fc.array(deadline), (deadlines) => {
        const queue = queueOf(deadlines);
        expect(queue.size).toBe(deadlines.length);
        expect(drain(queue, Number.MAX_VALUE)).toEqual(inOrder(deadlines));
        expect(queue.size).toBe(0);
      }),
    );
  });

  test("gives only what is due, and takes more in between", () => {
    fc.assert(
      fc.property(fc.array(deadline), fc.array(deadline), fc.nat(5), (first, second, nowMs) => {
        const queue = queueOf(first);
        expect(drain(queue, nowMs)).toEqual(inOrder(first.filter(({ dueAtMs }) => dueAtMs <= nowMs)));
        for (const { dueAtMs, subject } of second) queue.push(dueAtMs, subject);
        const rest = inOrder([...first.filter(({ dueAtMs }) => dueAtMs > nowMs), ...second]);
        expect(queue.peekDueAt()).toBe(rest[0]?.dueAtMs ?? Infinity);
        expect(drain(queue, Number.MAX_VALUE)).toEqual(rest);
      }),
    );
  });

  test("drops what is not wanted, and keeps the order of the rest", () => {
    fc.assert(
      fc.property(fc.array(deadline), fc.array(deadline), (first, second) => {
        const queue = queueOf(first);
        queue.retain((dueAtMs, subject) => dueAtMs > 2 && subject !== 1);
        const kept = first.filter(({ dueAtMs, subject }) => dueAtMs > 2 && subject !== 1);
        expect(queue.size).toBe(kept.length);
        for (const { dueAtMs, subject } of second) queue.push(dueAtMs, subject);
        expect(drain(queue, Number.MAX_VALUE)).toEqual(inOrder([...kept, ...second]));
      }),
    );
  });

  test("is crowded again when it has twice what was wanted", () => {
    const queue = new DeadlineQueue();
    const pushUntilCrowded = (): void => {
      while (!queue.isCrowded) queue.push(1, queue.size);
    };
    pushUntilCrowded();
    const { size } = queue;
    queue.retain(() => false);
    expect([queue.size, queue.isCrowded]).toEqual([0, false]);
    pushUntilCrowded();
    expect(queue.size).toBe(size);
    queue.retain(() => true);
    expect(queue.isCrowded).toBe(false);
    pushUntilCrowded();
    expect(queue.size).toBe(2 * size);
  });

  test("holds more than one chunk", () => {
    const queue = new DeadlineQueue();
    for (let number = 0; number < 30_000; number++) queue.push((number * 7919) % 30_000, number);
    const due = drain(queue, 30_000);
    expect(due.map(({ dueAtMs }) => dueAtMs)).toEqual(Array.from({ length: 30_000 }, (_, at) => at));
    expect(due.every(({ dueAtMs, subject }) => (subject * 7919) % 30_000 === dueAtMs)).toBe(true);
  });

  test("an empty queue is due never", () => {
    const queue = new DeadlineQueue();
    expect(queue.peekDueAt()).toBe(Infinity);
    expect(queue.popDue(Infinity)).toBeNull();
  });

  test("a time that is no number is refused", () => {
    const queue = new DeadlineQueue();
    for (const time of [NaN, Infinity, -Infinity]) expect(() => queue.push(time, 1)).toThrow(RangeError);
    expect(queue.size).toBe(0);
  });
});
