// A list of the API whose pages a test reads while elements are added and removed.

/** A separate list, initially empty. */
export interface List {
  readonly params?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Adds an element and returns its key. */
  add(): Promise<string>;
  remove(key: string): Promise<unknown>;
  /** Returns the elements of a page. */
  items(reply: Reply): readonly unknown[];
  key(item: Item): string;
  /** The list covers the whole server, so it may contain elements of other lists. */
  readonly isShared?: boolean;
}
export type Reply = Readonly<Record<string, readonly unknown[]>> & { readonly continuationToken?: string };
/** The members of list elements that contain keys. */
export type Item = Readonly<Record<string, string>> & { readonly status: { readonly taskId: string } };
