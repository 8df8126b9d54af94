// Prepares what the tests need from the machine beyond the installed packages, before they run.

/**
 * Each makes sure of one thing, and says nothing if there is nothing to do. So far the tests need nothing.
 * @type {(() => Promise<void>)[]}
 */
const preparations = [];

for (const prepare of preparations) await prepare();
