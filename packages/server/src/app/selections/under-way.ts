/**
 * Choices that are made but not applied yet. The next choice counts with them: without them a burst would go to one
 * bidder, past its limits and its operator's.
 */
import { DecisionWindow, type Candidates, type Kind } from "@staunch/engine";

export interface Choice {
  readonly kind: Kind;
  readonly subject: number;
  readonly operator: number;
  readonly exploring: boolean;
}

export class UnderWay {
  private readonly choices = new Set<Choice>();

  add(choice: Choice): void {
    this.choices.add(choice);
  }

  remove(choice: Choice): void {
    this.choices.delete(choice);
  }

  /** Adds to what the state says of the bidders. */
  countIn({ count, subject, inFlight, recent, explorationInFlight }: Candidates): void {
    if (this.choices.size === 0) return;
    const jobs = new Map<number, { all: number; exploring: number }>();
    for (const choice of this.choices) {
      const sum = jobs.get(choice.subject) ?? { all: 0, exploring: 0 };
      sum.all += 1;
      if (choice.exploring) sum.exploring += 1;
      jobs.set(choice.subject, sum);
    }
    for (let bid = 0; bid < count; bid++) {
      const waiting = jobs.get(subject[bid]!);
      if (waiting === undefined) continue;
      inFlight[bid]! += waiting.all;
      recent[bid]! += waiting.all;
      explorationInFlight[bid]! += waiting.exploring;
    }
  }

  /** The last decisions of a kind, with those under way. */
  windowOf(kind: Kind): DecisionWindow {
    const { window } = kind.selections;
    const operators = [...this.choices]
      .filter((choice) => choice.kind === kind)
      .map(({ operator }) => operator);
    if (operators.length === 0) return window;
    const copy = new DecisionWindow(window.size);
    copy.restore(window.dump());
    for (const operator of operators) copy.add(operator);
    return copy;
  }
}
