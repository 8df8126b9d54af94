import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { loadConfig } from "./load.ts";
import { renderDefaults, renderPage } from "./page.ts";

// `vitest run -u packages/server/src/config` writes both anew after a change on purpose.
describe("what is generated is what is committed", () => {
  test("the lock file of all defaults", async () => {
    await expect(renderDefaults()).toMatchFileSnapshot("./defaults.lock.yaml");
  });

  test("the reference page", async () => {
    await expect(renderPage()).toMatchFileSnapshot("../../../../docs/configuration.md");
  });

  test("the lock file is a configuration, and the default one", () => {
    const text = readFileSync(new URL("./defaults.lock.yaml", import.meta.url), "utf8");
    const locked = loadConfig({ file: { name: "defaults.lock.yaml", text } });
    const standard = loadConfig({});
    expect(locked.type === "ok" && locked.config).toEqual(standard.type === "ok" && standard.config);
  });
});
