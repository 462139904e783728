// Runs the graph on the server that the environment names, or on the local one; prints its progress and the report.
import { processIo } from "../../src/cli/io.ts";
import { connectTarget } from "../../src/cli/target.ts";
import { queueEvents } from "../../src/client/index.ts";
import { selfCheck } from "./graph.ts";

const source = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
const client = await connectTarget(processIo());
const graph = selfCheck({
  taskQueueId: process.env["TASK_QUEUE_ID"] ?? "local/default",
  source,
  now: Date.now(),
});
const nameOf = new Map(graph.map((task) => [task.taskId, task.name]));
const taskGroupId = graph[0]?.definition.taskGroupId ?? "";

// Listens before the first task is created, so that no event is missed.
const ofGroup = { taskGroupId };
const listening = await client.events.listen([
  queueEvents.taskPending(ofGroup),
  queueEvents.taskRunning(ofGroup),
  queueEvents.taskCompleted(ofGroup),
  queueEvents.taskFailed(ofGroup),
  queueEvents.taskException(ofGroup),
]);
for (const { taskId, definition } of graph) await client.queue.createTask({ taskId }, definition);
console.log(`group ${taskGroupId} on ${client.rootUrl}`);

const open = new Set(nameOf.keys());
let failed = false;
for await (const { payload } of listening) {
  const { taskId, state } = payload.status;
  console.log(`${(nameOf.get(taskId) ?? taskId).padEnd(8)} ${state}`);
  if (state === "completed") open.delete(taskId);
  failed = state === "failed" || state === "exception";
  if (open.size === 0 || failed) break;
}

if (failed) {
  console.log("its dependents will not run; `taskyard task log TASK_ID` shows why it failed");
  process.exitCode = 1;
} else {
  // Public artifacts need no credentials.
  const report = graph.at(-1)?.taskId ?? "";
  const response = await fetch(`${client.rootUrl}/api/queue/v1/task/${report}/artifacts/public%2Freport.md`);
  console.log(`\n${await response.text()}`);
}
