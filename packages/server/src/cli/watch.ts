/** `staunch watch`: the live stream of a service, a line for each event. */
import { StaunchUnreachable, type LiveMessage } from "@staunch/client";
import { serviceClient, serviceUrl } from "./client.ts";
import type { ServiceOptions } from "./command.ts";
import { CliError, EXIT } from "./exit-codes.ts";
import { points, printable, signed, type Io } from "./output.ts";

interface WatchFlags extends ServiceOptions {
  readonly kind?: string;
  readonly subject?: string;
}

/** Prints events until the service ends the stream or Ctrl-C ends the process. */
export async function watchLines(io: Io, flags: WatchFlags): Promise<void> {
  const { kind, subject } = flags;
  const client = serviceClient(io, flags);
  if (io.isTerminal) io.err(`watching ${serviceUrl(io, flags)}, Ctrl-C ends it`);
  let isConnected = false;
  try {
    for await (const message of client.live.subscribe({ kind, subject }, { reconnectsMax: 0 })) {
      isConnected = true;
      if (flags.json === true) io.out(JSON.stringify(message));
      else for (const line of messageLines(message)) io.out(line);
    }
  } catch (error) {
    if (!isConnected || !(error instanceof StaunchUnreachable)) throw error;
    const advice = "Start `staunch watch` again once the service is back.";
    throw new CliError("stream_ended", EXIT.unreachable, `The stream of ${error.url} broke off. ${advice}`);
  }
}

function messageLines(message: LiveMessage): string[] {
  if (message.type === "gap")
    return ["(some changes were left out; `staunch show` tells where things stand)"];
  return [
    ...message.changes.map(({ at, subject, tier, old_score: before, new_score: after, reason }) => {
      const move = `${points(before)} -> ${points(after)}  ${signed(after - before)}`;
      return `${clock(at)}  ${printable(subject)}  ${move}  ${reason}, ${printable(tier)}`;
    }),
    ...message.events.map(({ at, type: name, subject, detail }) => {
      return `${clock(at)}  ${printable(subject ?? "-")}  ${name}  ${printable(JSON.stringify(detail))}`;
    }),
    ...message.networks.map(({ kind, active, healthy, health }) => {
      const state = `${healthy} of ${active} active are healthy`;
      return `${clock(message.at)}  network ${printable(kind)}  health ${health === null ? "unknown" : points(health)}, ${state}`;
    }),
  ];
}

function clock(at: string): string {
  return at.slice(11, 19);
}
