// Runs calls concurrently and measures rate, latencies and CPU per call.
import { usageOf, type Usage } from "./cpu.ts";

/** CPU seconds of the server's Node process, of its PostgreSQL and of this process. */
export interface Cpu {
  readonly node: number;
  readonly postgres: number;
  readonly load: number;
}

export interface Measured {
  readonly calls: number;
  readonly seconds: number;
  /** Milliseconds, sorted. */
  readonly latencies: readonly number[];
  /** CPU used while the calls ran. */
  readonly cpu: Cpu;
}

/** Makes `calls` calls, at most `width` of them concurrently. */
export async function measure(
  serverPid: number,
  calls: number,
  width: number,
  call: (i: number) => Promise<unknown>,
): Promise<Measured> {
  const latencies: number[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let i = next++; i < calls; i = next++) {
      const start = performance.now();
      await call(i);
      latencies.push(performance.now() - start);
    }
  };
  return around(serverPid, calls, latencies, () => Promise.all(Array.from({ length: width }, lane)));
}

/** Runs `work`, which adds to `latencies`, and measures its duration and CPU. */
export async function around(
  serverPid: number,
  calls: number,
  latencies: number[],
  work: () => Promise<unknown>,
): Promise<Measured> {
  const before: Usage = usageOf(serverPid);
  const own = process.cpuUsage();
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  const load = process.cpuUsage(own);
  const after = usageOf(serverPid);
  return {
    calls,
    seconds,
    latencies: latencies.sort((a, b) => a - b),
    cpu: {
      node: after.node - before.node,
      postgres: after.postgres - before.postgres,
      load: (load.user + load.system) / 1e6,
    },
  };
}

/** Returns the value below which `share` of the sorted values are. */
export const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
}
