/** `staunch watch`: the live stream of a service, a line for each event. */
import { Client } from "./client.ts";
import type { ServiceOptions } from "./command.ts";
import { CliError, EXIT } from "./exit-codes.ts";
import { points, printable, signed, type Io } from "./output.ts";

/** Longest event that is put together; the service sends far shorter ones. */
const EVENT_CHARACTERS_MAX = 4 << 20;

interface WatchFlags extends ServiceOptions {
  readonly kind?: string;
  readonly subject?: string;
}

interface StreamEvent {
  readonly id: string;
  readonly type: string;
  readonly data: string;
}

/** Prints events until the service ends the stream or Ctrl-C ends the process. */
export async function watchLines(io: Io, flags: WatchFlags): Promise<void> {
  const client = new Client(io, flags);
  const query = { kind: flags.kind, subject: flags.subject };
  const headers = { accept: "text/event-stream" };
  const stream = await client.stream("/api/live", { query, headers }, new AbortController().signal);
  if (io.isTerminal) io.err(`watching ${client.url}, Ctrl-C ends it`);
  try {
    for await (const event of eventsOf(stream)) {
      if (flags.json === true) io.out(JSON.stringify({ id: event.id, type: event.type, data: parse(event.data) }));
      else for (const line of eventLines(event)) io.out(line);
    }
  } catch (error) {
    if (error instanceof CliError) throw error;
    const advice = "Start `staunch watch` again once the service is back.";
    throw new CliError("stream_ended", EXIT.unreachable, `The stream of ${client.url} broke off. ${advice}`);
  }
}

/** Server-sent events, as the HTML standard frames them. */
export async function* eventsOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true });
    if (rest.length > EVENT_CHARACTERS_MAX) throw new Error("an event without an end");
    const blocks = rest.split(/\r?\n\r?\n/u);
    rest = blocks.pop()!;
    for (const block of blocks) {
      const event = eventOf(block);
      if (event !== null) yield event;
    }
  }
}

/** Null for a block of comments, which only keeps the connection open. */
function eventOf(block: string): StreamEvent | null {
  let id = "";
  let type = "message";
  const data: string[] = [];
  for (const line of block.split(/\r?\n/u)) {
    const [, field = "", value = ""] = /^([^:]*):? ?(.*)$/u.exec(line) ?? [];
    if (field === "id") id = value;
    else if (field === "event") type = value;
    else if (field === "data") data.push(value);
  }
  return data.length === 0 ? null : { id, type, data: data.join("\n") };
}

function eventLines({ type, data }: StreamEvent): string[] {
  const parsed = parse(data);
  const items = Array.isArray(parsed) ? parsed : itemsOf(parsed);
  return items.map((item) => itemLine(type, item));
}

/** The list inside a frame, or the frame itself. */
function itemsOf(frame: unknown): unknown[] {
  const lists = Object.values((frame ?? {}) as object).filter((value) => Array.isArray(value)) as unknown[][];
  return lists[0] ?? [frame];
}

function itemLine(type: string, item: unknown): string {
  const facts = (typeof item === "object" && item !== null ? item : {}) as { readonly [name: string]: unknown };
  const { subject, id, before, after, score, reason } = facts;
  const name = printable(String(subject ?? id ?? ""));
  if (typeof before === "number" && typeof after === "number") {
    const why = reason === undefined ? "" : `  ${printable(String(reason))}`;
    return `${name}  ${points(before)} -> ${points(after)}  ${signed(after - before)}${why}`;
  }
  const shown = typeof score === "number" ? `  ${points(score)}` : "";
  return `${name}  ${printable(type)}${shown}  ${printable(JSON.stringify(item))}`;
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return data;
  }
}
