// The tag for hand-written SQL: values become parameters, nested fragments are spliced in with their
// parameters renumbered. Text never comes from data, so injection is not possible by construction.

/** SQL text with its parameters: the shape node-postgres takes. */
export interface Sql {
  readonly text: string;
  readonly values: readonly unknown[];
}

/**
 * Tag for hand-written SQL. `sql\`… ${value} …\`` makes `$1` of a value; a value made by `sql` itself is
 * spliced in as a fragment.
 */
export function sql(strings: TemplateStringsArray, ...args: readonly unknown[]): Sql {
  let text = "";
  const values: unknown[] = [];
  const add = (chunks: readonly string[], xs: readonly unknown[]): void => {
    chunks.forEach((chunk, i) => {
      text += chunk;
      if (i >= xs.length) return;
      const x = xs[i];
      if (x instanceof Fragment) add(x.strings, x.args);
      else text += `$${values.push(x)}`;
    });
  };
  add(strings, args);
  return new Fragment(strings, args, text, values);
}

class Fragment implements Sql {
  readonly strings: readonly string[];
  readonly args: readonly unknown[];
  readonly text: string;
  readonly values: readonly unknown[];
  constructor(
    strings: readonly string[],
    args: readonly unknown[],
    text: string,
    values: readonly unknown[],
  ) {
    this.strings = strings;
    this.args = args;
    this.text = text;
    this.values = values;
  }
}
