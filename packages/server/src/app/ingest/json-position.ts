/**
 * Where a text stops being JSON. The parser of the language says it only for some mistakes, so a refused text is read
 * once more, token by token, with a stack of what is open instead of recursion.
 */

/** Place of the first character that does not fit (the text's length when it is cut off), or -1 for sound JSON. */
export function malformedAt(text: string): number {
  const open: ("[" | "{")[] = [];
  let expected: "value" | "value or ]" | "key" | "key or }" | "colon" | "comma or end" = "value";
  let at = skipSpace(text, 0);
  for (;;) {
    if (expected === "comma or end" && open.length === 0) return at === text.length ? -1 : at;
    const end = tokenEnd(text, at);
    if (end < 0) return -end - 1;
    const first = text[at]!;
    const top = open.at(-1);
    if (first === "]" || first === "}") {
      const fits = first === "]" ? top === "[" : top === "{";
      const mayEnd = expected === "comma or end" || expected === (first === "]" ? "value or ]" : "key or }");
      if (!fits || !mayEnd) return at;
      open.pop();
      expected = "comma or end";
    } else if (first === ",") {
      if (expected !== "comma or end") return at;
      expected = top === "[" ? "value" : "key";
    } else if (first === ":") {
      if (expected !== "colon") return at;
      expected = "value";
    } else if (expected === "key" || expected === "key or }") {
      if (first !== '"') return at;
      expected = "colon";
    } else if (expected === "value" || expected === "value or ]") {
      expected = first === "[" ? "value or ]" : first === "{" ? "key or }" : "comma or end";
      if (first === "[" || first === "{") open.push(first);
    } else {
      return at;
    }
    at = skipSpace(text, end);
  }
}

const NUMBER_OR_WORD = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y;

/** Place behind the token at `at`; when there is none, -1 less the place where it breaks. */
function tokenEnd(text: string, at: number): number {
  if (at === text.length) return -at - 1;
  if ("[]{},:".includes(text[at]!)) return at + 1;
  if (text[at] === '"') return stringEnd(text, at);
  NUMBER_OR_WORD.lastIndex = at;
  return NUMBER_OR_WORD.test(text) ? NUMBER_OR_WORD.lastIndex : -at - 1;
}

function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length) {
    if (text[at] === '"') return at + 1;
    if (text.charCodeAt(at) < 0x20) return -at - 1;
    if (text[at] !== "\\") {
      at += 1;
      continue;
    }
    ESCAPE.lastIndex = at;
    if (!ESCAPE.test(text)) return -at - 1;
    at = ESCAPE.lastIndex;
  }
  return -at - 1;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && " \t\n\r".includes(text[at]!)) at += 1;
  return at;
}
