// All entries of a list that the server hands out a page at a time.

interface Page {
  readonly continuationToken?: string;
}

/** Yields each page; `get` asks for the one that a token names. */
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
