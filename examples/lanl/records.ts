/** Reads the failure records of Los Alamos as they were published, one CSV line a record. */

/** The published families of root causes, in the order of their columns. */
export const CAUSE_FAMILIES = [
  "facilities",
  "hardware",
  "human error",
  "network",
  "undetermined",
  "software",
] as const;
export type CauseFamily = (typeof CAUSE_FAMILIES)[number];

export interface FailureRecord {
  readonly system: number;
  /** Number from 0 inside the system; null in the records that do not say which node failed. */
  readonly node: number | null;
  /** Empty where the record describes no machine. */
  readonly machineType: string;
  readonly nodesInSystem: number;
  readonly processors: number;
  /** Unit not stated; the sizes read as gigabytes. */
  readonly memory: number;
  readonly purpose: string;
  /** First instant of the production month; null: "before tracking", or not said. */
  readonly productionFrom: number | null;
  /** First instant after the month of decommission; null: in service to the end of the records, or not said. */
  readonly productionUntil: number | null;
  /** Milliseconds since 1970 of the wall clock at Los Alamos, read as if it were UTC. */
  readonly startedAt: number;
  readonly fixedAt: number;
  /** As published; in 423 records up to an hour off the difference of the two times (`README.md`). */
  readonly downtimeMin: number;
  readonly family: CauseFamily | null;
  /** The cause in words: `hardware: Memory Dimm`, `network`, or `not recorded`. */
  readonly cause: string;
}

const COLUMNS =
  "System,machine type,nodes,procstot,procsinnode,nodenum,nodenumz,node install,node prod,node decom,fru type,mem," +
  "cputype,memtype,num intercon,purpose,Prob Started,Prob Fixed,Down Time,Facilities,Hardware,Human Error,Network," +
  "Undetermined,Software,Same Event";
const COLUMN_COUNT = 26;
const FIRST_CAUSE_COLUMN = 19;

/** Parses the whole file. Anything unlike the published file throws: it ships with this adapter. */
export function parseRecords(csv: string): FailureRecord[] {
  const lines = csv.trimEnd().split("\n");
  if (lines[0] !== COLUMNS) throw new Error("the first line does not name the published columns");
  return lines.slice(1).map((line, index) => parseRecord(line, index + 2));
}

function parseRecord(line: string, lineNumber: number): FailureRecord {
  const cells = splitCells(line);
  if (cells.length !== COLUMN_COUNT) throw new Error(`line ${lineNumber} has ${cells.length} cells`);
  const cell = (column: number) => cells[column]!;
  const familyAt = CAUSE_FAMILIES.findIndex((_, index) => cell(FIRST_CAUSE_COLUMN + index) !== "");
  const family = CAUSE_FAMILIES[familyAt] ?? null;
  return {
    system: Number(cell(0)),
    machineType: cell(1),
    nodesInSystem: Number(cell(2)),
    processors: Number(cell(4)),
    node: cell(6) === "" ? null : Number(cell(6)),
    productionFrom: monthStart(cell(8), 0),
    productionUntil: monthStart(cell(9), 1),
    memory: Number(cell(11)),
    purpose: cell(15),
    startedAt: minuteOf(cell(16)),
    fixedAt: minuteOf(cell(17)),
    downtimeMin: Number(cell(18)),
    family,
    cause: causeText(family, family === null ? "" : cell(FIRST_CAUSE_COLUMN + familyAt)),
  };
}

/** Two causes hold a comma and are quoted; the file has no quote inside quotes. */
function splitCells(line: string): string[] {
  const parts = line.split('"');
  // Odd parts stood between quotes: their commas are text.
  return parts
    .map((part, index) => (index % 2 === 1 ? part.replaceAll(",", "\u0000") : part))
    .join("")
    .split(",")
    .map((cell) => cell.replaceAll("\u0000", ","));
}

function causeText(family: CauseFamily | null, detail: string): string {
  if (family === null) return "not recorded";
  return detail.toLowerCase() === family ? family : `${family}: ${detail}`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/**
 * First instant of a month, or of the month `later` months after it. The spreadsheet that the file went through
 * wrote 1996 to 1999 as `Nov-96` and took 2001 to 2005 for a day: `5-Apr` is April 2005.
 */
export function monthStart(text: string, later: number): number | null {
  if (text === "" || text === "current" || text === "before tracking") return null;
  const [first = "", second = ""] = text.split("-");
  const yearIsLast = MONTHS.includes(first);
  const month = MONTHS.indexOf(yearIsLast ? first : second);
  const year = Number(yearIsLast ? second : first);
  if (month < 0 || !Number.isInteger(year)) throw new Error(`not a month: ${text}`);
  return Date.UTC(year < 50 ? 2000 + year : 1900 + year, month + later);
}

/** `6/21/2005 10:54` */
function minuteOf(text: string): number {
  const match = /^(\d{1,2})\/(\d{1,2})\/(\d{4}) (\d{1,2}):(\d{2})$/.exec(text);
  if (match === null) throw new Error(`not a time: ${text}`);
  const [month, day, year, hour, minute] = match.slice(1).map(Number);
  return Date.UTC(year!, month! - 1, day, hour, minute);
}
