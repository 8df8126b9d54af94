import { describe, expect, test } from "vitest";
import { eventsOf } from "./watch.ts";

const STREAM =
  'retry: 2000\n: live\n\nid: 7\nevent: frame\ndata: {"a":"\u00e9"}\n\n: still here\n\nevent: gap\ndata: 1\ndata: 2\n\n';

describe("the event stream", () => {
  test.each([1, 2, 3, 7, 1000])("is put together from pieces of %i bytes", async (size) => {
    expect(await read(STREAM, size)).toEqual([
      { id: "7", type: "frame", data: '{"a":"\u00e9"}' },
      { id: "", type: "gap", data: "1\n2" },
    ]);
  });

  test("gives out nothing of an event whose end has not come", async () => {
    expect(await read("event: frame\ndata: {}\n", 5)).toEqual([]);
  });
});

async function read(text: string, size: number): Promise<object[]> {
  const events: object[] = [];
  for await (const event of eventsOf(pieces(new TextEncoder().encode(text), size))) events.push(event);
  return events;
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}
