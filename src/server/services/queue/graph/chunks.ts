// Many rows, some hundreds a statement.

/** What a statement does in a few ten milliseconds, after which others have their turn. */
const CHUNK = 500;

export function* chunks<T>(items: readonly T[], size = CHUNK): Generator<T[], void, undefined> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size);
}
