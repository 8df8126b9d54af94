/** What commands print: data to standard output, talk and progress to standard error. */

/** Where a command writes to and what it may ask of it. */
export interface Io {
  /** One line to standard output. */
  readonly out: (line: string) => void;
  /** One line to standard error. */
  readonly err: (line: string) => void;
  /** Standard error is a terminal, so progress may be drawn over itself. */
  readonly isTerminal: boolean;
  /** Rewrites the last line of the terminal; "" removes it. */
  readonly redraw: (line: string) => void;
  /** Standard output takes colours. */
  readonly hasColor: boolean;
  readonly env: { readonly [variable: string]: string | undefined };
}

export function processIo(): Io {
  const { env, stdout, stderr } = process;
  return {
    out: (line) => stdout.write(`${line}\n`),
    err: (line) => stderr.write(`${line}\n`),
    isTerminal: stderr.isTTY,
    redraw: (line) => stderr.write(`\r\u001b[K${line}`),
    hasColor: stdout.isTTY && !env["NO_COLOR"] && env["TERM"] !== "dumb",
    env,
  };
}

export function bold(io: Io, text: string): string {
  return io.hasColor ? `\u001b[1m${text}\u001b[0m` : text;
}

/** A column of a table: its heading, and whether its cells are numbers, which stand to the right. */
export type Column = readonly [heading: string, align: "left" | "right"];

/** Rows as aligned lines, the heading first. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const safeRows = rows.map((row) => row.map(printable));
  const widths = columns.map(([heading], at) =>
    Math.max(heading.length, ...safeRows.map((row) => row[at]!.length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) =>
        columns[at]![1] === "right" ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!),
      )
      .join("  ")
      .trimEnd();
  return [line(columns.map(([heading]) => heading)), ...safeRows.map(line)];
}

/** Text from outside, made safe for a terminal: control characters show as escapes. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
}

/** 1234567 as 1,234,567. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

export function plural(value: number, word: string): string {
  return `${count(value)} ${word}${value === 1 ? "" : "s"}`;
}

/** A score, or any points, with two digits. */
export function points(value: number): string {
  return value.toFixed(2);
}

export function signed(value: number): string {
  return `${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(2)}`;
}

export function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** A point in time to the minute, UTC. */
export function minute(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** Least time between two drawings, and between two plain lines where there is no terminal. */
const DRAW_EVERY_MS = 100;
const LINE_EVERY_MS = 5000;
const BAR_WIDTH = 30;

/** Progress of something long: a bar on a terminal, now and then a line elsewhere, nothing when `quiet`. */
export class Progress {
  private readonly io: Io;
  private readonly label: string;
  private readonly quiet: boolean;
  private readonly startedMs = performance.now();
  private shownMs = performance.now();

  constructor(io: Io, label: string, quiet = false) {
    this.io = io;
    this.label = label;
    this.quiet = quiet;
  }

  show(done: number, total: number, detail = ""): void {
    if (this.quiet) return;
    const nowMs = performance.now();
    if (nowMs - this.shownMs < (this.io.isTerminal ? DRAW_EVERY_MS : LINE_EVERY_MS)) return;
    this.shownMs = nowMs;
    const share = total === 0 ? 1 : Math.min(1, done / total);
    const percent = `${Math.floor(share * 100)}%`.padStart(4);
    const rate = `${count(done / Math.max(0.001, (nowMs - this.startedMs) / 1000))}/s`;
    const filled = Math.floor(share * BAR_WIDTH);
    const bar = this.io.isTerminal ? ` [${"#".repeat(filled)}${".".repeat(BAR_WIDTH - filled)}]` : "";
    const line = `${this.label}${bar}${percent}  ${count(done)}  ${rate}  ${detail}`.trimEnd();
    if (this.io.isTerminal) this.io.redraw(line);
    else this.io.err(line);
  }

  end(): void {
    if (!this.quiet && this.io.isTerminal) this.io.redraw("");
  }
}
