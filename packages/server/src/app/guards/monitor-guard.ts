/**
 * Judges what monitors measured before it counts. Whether a monitor failed depends on all whom it measured, so the
 * fold cannot know: the verdict enters the log as an act, while the window is over and nothing of it is released.
 */
import {
  lastOver,
  monitorVerdicts,
  windowOf,
  type Entry,
  type MonitorWindow,
  type State,
  type WindowVoided,
} from "@staunch/engine";
import type { Gate } from "../partition/partition.ts";

/** Verdicts in one record of the log, 8 KiB each at most. */
const VERDICTS_PER_RECORD_MAX = 100;

/** What was found in a window that held so many samples. */
interface Judged {
  readonly samples: number;
  readonly acts: readonly WindowVoided[];
}

export class MonitorGuard implements Gate {
  /** Of the windows that are over and still open, by number. */
  private judged = new Map<number, Judged>();

  facts(state: State): WindowVoided[] {
    const { provisional, now } = state;
    this.judged = new Map(provisional.over(now).map((window) => [window.index, this.judge(state, window)]));
    return [...this.judged]
      .flatMap(([index, { acts }]) => acts.filter(({ monitor }) => !provisional.isVoid(monitor, index)))
      .slice(0, VERDICTS_PER_RECORD_MAX);
  }

  /** Whether they end a window that holds samples, or bring some to one that is over. */
  isAwaited(state: State, loggedAt: number, entries: readonly Entry[]): boolean {
    const { provisional } = state;
    const last = lastOver(loggedAt);
    const before = lastOver(state.now);
    for (const index of provisional.windows.keys()) if (index > before && index <= last) return true;
    const isOver = (at: number): boolean => windowOf(at) <= last && windowOf(at) > provisional.closedTo;
    return entries.some(
      ({ samples }) => samples !== null && samples.monitor !== null && samples.at.some(isOver),
    );
  }

  /** A window is judged again only when it has taken more since. */
  private judge(state: State, window: MonitorWindow): Judged {
    const samples = window.count;
    const known = this.judged.get(window.index);
    if (known?.samples === samples) return known;
    return { samples, acts: monitorVerdicts(state, window) };
  }
}
