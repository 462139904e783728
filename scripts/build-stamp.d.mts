export function writeStamp(
  root: string,
  dist: string,
  inputs: readonly string[],
  startedMs: number,
): Promise<void>;
export function isUpToDate(root: string, dist: string): Promise<boolean>;
