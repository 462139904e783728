// Texts on which a regular expression that backtracks takes more than linear time, and how long a check of them takes.

/** Characters that classes and escapes stand for. */
const SAMPLES = ["a", "A", "0", " ", "-", "_", ".", "/", ":", "\n", "\t", "€"];
const ENDS = ["\u0000", "\n"];
/** A quadratic check of this many characters takes a tenth of a second, a linear one far less than a millisecond. */
const LENGTH = 10_000;
/** Faster checks are not compared: their times are noise. In milliseconds. */
const FLOOR = 25;
const ATTEMPTS = 5;

/** Returns the text that takes `check` more than linear time, or undefined. `pattern` is where the characters come from. */
export function slowText(pattern: string, check: (text: string) => unknown): string | undefined {
  const literals = [...new Set(pattern.replaceAll(/\\[a-zA-Z]|[\\^$()[\]{}|?*+]/g, ""))];
  const characters = [...new Set([...literals, ...SAMPLES])].slice(0, 20);
  const units = [...characters, ...pairsOf(characters.slice(0, 4))];
  const starts = ["", ...startsOf(pattern)];
  for (const unit of units)
    for (const start of starts)
      for (const end of ENDS) {
        const textOf = (length: number): string => start + unit.repeat(length / unit.length) + end;
        // Short first: an exponential check of a long text would never end.
        for (const length of [24, 1_000, LENGTH]) {
          if (timeOf(check, textOf(length), 1) < FLOOR) continue;
          const short = timeOf(check, textOf(length), ATTEMPTS);
          if (short < FLOOR) continue;
          if (length < LENGTH || timeOf(check, textOf(2 * length), ATTEMPTS) > 3 * short)
            return `${JSON.stringify(start + unit + unit)}… with ${length} characters: ${Math.round(short)} ms`;
        }
      }
  return undefined;
}

const pairsOf = (characters: readonly string[]): string[] =>
  characters.flatMap((a) => characters.map((b) => a + b)).filter(([a, b]) => a !== b);

/** Returns what a matching text may begin with. */
const startsOf = (pattern: string): string[] =>
  ["https://", "ssh://", "git@", "a/", '"', "[", "("].filter((start) => pattern.includes(start.slice(0, 3)));

function timeOf(check: (text: string) => unknown, text: string, attempts: number): number {
  let best = Infinity;
  for (let i = 0; i < attempts; i++) {
    const begin = performance.now();
    check(text);
    best = Math.min(best, performance.now() - begin);
    if (best < FLOOR) break;
  }
  return best;
}
