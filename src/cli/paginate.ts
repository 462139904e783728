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
