// Prints `N passed, N failed[, N skipped]` from the report that the test runner wrote.
//
//     node .ci/count.mjs <report.json> <exit code of the test runner>

import { existsSync, readFileSync } from "node:fs";

const [file = "", exitCode] = process.argv.slice(2);
/** @type {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number, testResults: { status: string, assertionResults: unknown[] }[] }} */
const report = existsSync(file)
  ? JSON.parse(readFileSync(file, "utf8"))
  : { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] };

// A file that cannot even be loaded holds no failed test, and counts as one.
const unloadable = report.testResults.filter((f) => f.status === "failed" && f.assertionResults.length === 0);
const passed = report.numPassedTests;
let failed = report.numFailedTests + unloadable.length;
// A runner that failed without a failed test (no report, an error between tests) must not look like success.
if (failed === 0 && exitCode !== "0") failed = 1;
const skipped = report.numPendingTests + report.numTodoTests;

console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
