/** Lists that come in pages, read to their end. */
import type { CallOptions } from "./transport.ts";

interface Page {
  /** Where the next page starts; null on the last. */
  readonly next: string | null;
}

type List<Input, Answer extends Page> = (input: Input, options?: CallOptions) => Promise<Answer>;

/** All pages of a list, each asked for when it is wanted: `pages(client.subjects.list, { tier: "gold" })`. */
export async function* pages<Input extends object | undefined, Answer extends Page>(
  list: List<Input, Answer>,
  input: Input,
  options?: CallOptions,
): AsyncGenerator<Answer> {
  let page = await list(input, options);
  yield page;
  while (page.next !== null) {
    page = await list({ ...input, cursor: page.next }, options);
    yield page;
  }
}

/** All items of a list, page after page. */
export async function* items<Input extends object | undefined, Item>(
  list: List<Input, Page & { readonly items: readonly Item[] }>,
  input: Input,
  options?: CallOptions,
): AsyncGenerator<Item> {
  for await (const page of pages(list, input, options)) yield* page.items;
}
