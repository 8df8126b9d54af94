/** What the service writes about itself: one JSON object a line, without secrets. */
import { pino, type DestinationStream, type Logger, type LoggerOptions } from "pino";

/** Fields that are never written, wherever a request or an answer is logged. */
const SECRETS = [
  "authorization",
  "*.authorization",
  "req.headers.authorization",
  "*.headers.authorization",
  "key",
  "*.key",
];

/** @param destination standard output unless given */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options: LoggerOptions = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: SECRETS, censor: "[secret]" },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
