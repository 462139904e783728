// Amounts by key. A key whose amount is zero takes no memory, since keys come from callers.

export interface Tally {
  /** The sum of all amounts. */
  readonly total: number;
  /** Returns the amount of a key. */
  of(key: string): number;
  /** Adds to the amount of a key. */
  add(key: string, amount: number): void;
}

export function createTally(): Tally {
  const amounts = new Map<string, number>();
  let total = 0;
  const of = (key: string): number => amounts.get(key) ?? 0;
  return {
    get total() {
      return total;
    },
    of,
    add(key, amount) {
      total += amount;
      const sum = of(key) + amount;
      if (sum === 0) amounts.delete(key);
      else amounts.set(key, sum);
    },
  };
}
