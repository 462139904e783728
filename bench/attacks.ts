// `npm run bench:attacks`: what attacks cost a server. Prints the memory of its process, and how fast it answers pings meanwhile.
import { cpus, loadavg } from "node:os";
import { connect } from "../src/client/index.ts";
import { slugid } from "../src/lib/slugid.ts";
import { attacks, underAttack } from "../test/support/attacks.ts";
import { taskDefinition } from "../test/support/factories.ts";
import { startBenchServer } from "./server.ts";

const DURATION_MS = 3_000;
const MiB = 2 ** 20;

const server = await startBenchServer();
try {
  const taskGroupId = slugid();
  const client = connect(server);
  for (let i = 0; i < 70; i++)
    await client.queue.createTask(
      { taskId: slugid() },
      taskDefinition({ taskGroupId, payload: { text: "x".repeat(0.9 * MiB) } }),
    );
  console.log(
    `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, load average ${loadavg()[0]?.toFixed(1)}\n`,
  );
  console.log("| attack | ping p50 | ping p99 | slowest ping | peak memory |");
  console.log("| --- | --- | --- | --- | --- |");
  for (const attack of attacks) {
    const { pings, peakBytes } = await underAttack(attack, { ...server, taskGroupId }, DURATION_MS);
    const at = (share: number): string =>
      `${(pings[Math.min(pings.length - 1, Math.floor(pings.length * share))] ?? 0).toFixed(1)} ms`;
    console.log(
      `| ${attack.name} | ${at(0.5)} | ${at(0.99)} | ${at(1)} | ${Math.round(peakBytes / MiB)} MiB |`,
    );
  }
} finally {
  await server.stop();
}
