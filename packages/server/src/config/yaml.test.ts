import { expect, test } from "vitest";
import { parseYaml, YAML_LENGTH_MAX } from "./yaml.ts";

test("reads maps, lists and plain values of YAML 1.2", () => {
  const text = "a: 1\nb: [x, 2.5, true, null]\nc:\n  d: 1m\n  e: no\n";
  expect(parseYaml(text)).toEqual({
    type: "ok",
    value: { a: 1, b: ["x", 2.5, true, null], c: { d: "1m", e: "no" } },
  });
  expect(parseYaml("")).toEqual({ type: "ok", value: null });
});

test.each([
  ["a key twice", "a: 1\na: 2", "unique"],
  ["broken syntax", "a: [1, 2", "flow"],
  ["two documents", "a: 1\n---\nb: 2", "documents"],
  ["an unknown tag", "a: !!binary aGk=", "tag"],
  ["an alias", "a: &x [1]\nb: *x", "alias"],
  ["aliases of aliases", bomb(), "alias"],
  ["a merge key", "a: &x {b: 1}\nc:\n  <<: *x", "alias"],
  ["brackets without end", "[".repeat(200_000), ""],
  ["a huge text", `a: ${"x".repeat(YAML_LENGTH_MAX)}`, "longer"],
])("%s is refused", (_, text, words) => {
  const result = parseYaml(text);
  expect(result.type === "invalid" && result.message.toLowerCase()).toContain(words);
});

test("a key named __proto__ stays a key and reaches no prototype", () => {
  const result = parseYaml("__proto__:\n  polluted: true");
  expect(result.type === "ok" && Object.keys(result.value as object)).toEqual(["__proto__"]);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

/** Nine levels of nine aliases each: 9^9 values in a few lines. */
function bomb(): string {
  const levels = Array.from(
    { length: 9 },
    (_, level) => `k${level + 1}: &k${level + 1} [${`*k${level},`.repeat(9)}]`,
  );
  return ["k0: &k0 [x]", ...levels].join("\n");
}
