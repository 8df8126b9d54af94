/** Exit codes of `staunch`. They are part of the interface: scripts decide by them. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  denied: 4,
  conflict: 5,
  limited: 6,
  unreachable: 7,
  checkFailed: 8,
  // Why a data directory could not be opened.
  locked: 10,
  damaged: 11,
  full: 12,
  storage: 13,
  notCovered: 14,
  corrupt: 15,
} as const;

/** A failure that the user can do something about: shown as one paragraph, without a stack trace. */
export class CliError extends Error {
  readonly exitCode: number;
  /** What `--json` adds to the message, for programs. */
  readonly code: string;

  constructor(code: string, exitCode: number, message: string) {
    super(message);
    this.name = "CliError";
    this.code = code;
    this.exitCode = exitCode;
  }
}
