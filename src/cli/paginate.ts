// Reads lists that the server returns in pages.

interface Page {
  readonly continuationToken?: string;
}

/** Yields every page. `get` requests the page that a token names, or the first one. */
export async function* paginate<P extends Page>(
  get: (query: { readonly continuationToken?: string }) => Promise<P>,
): AsyncGenerator<P, void, undefined> {
  let page = await get({});
  yield page;
  while (page.continuationToken !== undefined) {
    page = await get({ continuationToken: page.continuationToken });
    yield page;
  }
}

/** The elements that the server returns on one page at most. */
const PAGE = 1000;

/**
 * Returns the first `limit` elements of a list, without requesting more pages than needed, and whether the list goes on.
 * `elements` returns those of a page.
 */
export async function firstElements<P extends Page, T>(
  limit: number,
  get: (query: { readonly continuationToken?: string; readonly limit: string }) => Promise<P>,
  elements: (page: P) => readonly T[],
): Promise<{ readonly found: readonly T[]; readonly goesOn: boolean }> {
  const found: T[] = [];
  for await (const page of paginate((query) =>
    get({ ...query, limit: String(Math.min(limit - found.length, PAGE)) }),
  )) {
    found.push(...elements(page));
    if (found.length >= limit) return { found, goesOn: page.continuationToken !== undefined };
  }
  return { found, goesOn: false };
}
