/** How far a long run is, on standard error: over the same line on a terminal, elsewhere a line now and then. */
import { processIo } from "../packages/server/src/cli/output.ts";

export class RunProgress {
  private readonly io = processIo();
  private readonly lineEvery: number;
  private steps = 0;

  /** @param lineEvery steps between two lines where there is no terminal */
  constructor(lineEvery: number) {
    this.lineEvery = lineEvery;
  }

  step(line: string): void {
    this.steps += 1;
    if (this.io.isTerminal) this.io.redraw(line);
    else if (this.steps % this.lineEvery === 0) this.io.err(line);
  }

  end(): void {
    if (this.io.isTerminal) this.io.redraw("");
  }
}
