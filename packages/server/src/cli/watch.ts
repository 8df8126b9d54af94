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
      if (flags.json === true)
        io.out(JSON.stringify({ id: event.id, type: event.type, data: parse(event.data) }));
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

/** What a frame of the live stream holds, as far as it is shown. */
interface Frame {
  readonly changes?: readonly {
    readonly subject: string;
    readonly tier: string;
    readonly old_score: number;
    readonly new_score: number;
    readonly reason: string;
    readonly at: string;
  }[];
  readonly events?: readonly {
    readonly type: string;
    readonly subject: string | null;
    readonly detail: unknown;
    readonly at: string;
  }[];
}

function eventLines({ type, data }: StreamEvent): string[] {
  if (type === "gap") return ["(some changes were left out; `staunch show` tells where things stand)"];
  const { changes = [], events = [] } = parse(data) as Frame;
  return [
    ...changes.map(({ at, subject, tier, old_score: before, new_score: after, reason }) => {
      const move = `${points(before)} -> ${points(after)}  ${signed(after - before)}`;
      return `${clock(at)}  ${printable(subject)}  ${move}  ${reason}, ${printable(tier)}`;
    }),
    ...events.map(({ at, type: name, subject, detail }) => {
      return `${clock(at)}  ${printable(subject ?? "-")}  ${name}  ${printable(JSON.stringify(detail))}`;
    }),
  ];
}

function clock(at: string): string {
  return at.slice(11, 19);
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return {};
  }
}
