// `npm run bench:lists`: what a page of each list costs in a large deployment. Fills the database by SQL first.
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import type pg from "pg";
import { encodePage } from "../src/server/core/pagination.ts";
import { loadClient, type LoadClient } from "./client.ts";
import { clientIdOf, fillDirectory, repoRoleOf } from "./fill-directory.ts";
import { fillLists, LARGE_NAMESPACE, LARGE_POOL } from "./fill-lists.ts";
import { withFilledServer } from "./filled-server.ts";
import { measure, percentile, type Measured } from "./measure.ts";

const { values: options } = parseArgs({
  options: {
    // 1: 100,000 clients, 5,000 roles, 10 million index entries. Takes ten minutes and 6 GB.
    scale: { type: "string", default: "1" },
    calls: { type: "string", default: "20" },
    // The server's home folder, which is kept. If it exists, it is used as it is. Default: a new one, which is removed.
    home: { type: "string" },
    // Measures only lists whose name contains this.
    only: { type: "string", default: "" },
  },
});
const scale = Number(options.scale);
const directory = {
  clients: Math.ceil(100_000 * scale),
  roles: Math.ceil(5_000 * scale),
  parameterized: Math.ceil(2_000 * scale),
};
const sizes = {
  entries: Math.ceil(10_000_000 * scale),
  secrets: Math.ceil(100_000 * scale),
  audit: Math.ceil(1_000_000 * scale),
  pools: Math.ceil(5_000 * scale),
  workers: Math.ceil(200_000 * scale),
};

interface List {
  readonly name: string;
  readonly path: string;
  readonly body?: unknown;
  /** The key of an element in the middle, if there are several pages. */
  readonly middle?: string;
}

const digits = (n: number): string => String(Math.floor(n)).padStart(8, "0");
const pool = encodeURIComponent(LARGE_POOL);
const middleClient = clientIdOf(directory.clients / 2);
const largeName = encodeURIComponent(`bench/large`);
const auditMiddle = String(Math.floor(sizes.audit / 2));
const namespaces = digits((sizes.entries * 0.75) / 50);
const indexPaths = Array.from({ length: 1000 }, (_, i) => `${LARGE_NAMESPACE}.e${digits(i * 31)}`);

const lists: readonly List[] = [
  { name: "auth listClients", path: "auth/v1/clients/", middle: middleClient },
  { name: "auth listClients, by prefix", path: "auth/v1/clients/?prefix=bench/client-0005" },
  {
    name: "auth listRoles2",
    path: "auth/v1/roles2/?limit=1000",
    middle: repoRoleOf(directory.parameterized / 2),
  },
  {
    name: "auth listRoleIds",
    path: "auth/v1/roleids/?limit=1000",
    middle: repoRoleOf(directory.parameterized / 2),
  },
  { name: "auth listRoles, all on one page", path: "auth/v1/roles/" },
  { name: "auth getEntityHistory", path: "auth/v1/audit/secret/bench/large", middle: auditMiddle },
  { name: "auth listAuditHistory", path: `auth/v1/clients/${largeName}/audit`, middle: auditMiddle },
  {
    name: "index listTasks",
    path: `index/v1/tasks/${LARGE_NAMESPACE}`,
    middle: `e${digits(sizes.entries / 4)}`,
  },
  { name: "index listNamespaces", path: "index/v1/namespaces/bench.many", middle: `n${namespaces}` },
  { name: "index findTasksAtIndex", path: "index/v1/tasks/indexes", body: { indexes: indexPaths } },
  { name: "secrets list", path: "secrets/v1/secrets", middle: `bench/${digits(sizes.secrets / 2)}` },
  { name: "purge-cache allPurgeRequests", path: "purge-cache/v1/purge-cache/list" },
  { name: "purge-cache purgeRequests, 10,000 on one page", path: `purge-cache/v1/purge-cache/${pool}` },
  {
    name: "worker-manager listWorkerPools",
    path: "worker-manager/v1/worker-pools",
    middle: `bench/p${digits(sizes.pools / 2)}`,
  },
  {
    name: "worker-manager listWorkerPoolsStats",
    path: "worker-manager/v1/worker-pools/stats",
    middle: `bench/p${digits(sizes.pools / 2)}`,
  },
  { name: "worker-manager workerPoolStats", path: `worker-manager/v1/worker-pool/${pool}/stats` },
  {
    name: "worker-manager listWorkerPoolLaunchConfigs",
    path: `worker-manager/v1/worker-pool/${pool}/launch-configs`,
  },
  {
    name: "worker-manager listWorkersForWorkerPool",
    path: `worker-manager/v1/workers/${pool}`,
    middle: `g50/w${digits(0)}`,
  },
  { name: "…, with a rare state", path: `worker-manager/v1/workers/${pool}?state=running` },
  { name: "…, of a launch config", path: `worker-manager/v1/workers/${pool}?launchConfigId=lc-00000500` },
  { name: "worker-manager listWorkersForWorkerGroup", path: `worker-manager/v1/workers/${pool}/g99` },
  { name: "worker-manager listWorkerPoolErrors", path: `worker-manager/v1/worker-pool-errors/${pool}` },
  {
    name: "…, of a launch config",
    path: `worker-manager/v1/worker-pool-errors/${pool}?launchConfigId=lc-00000500`,
  },
];

await withFilledServer({ fill, home: options.home }, async (server) => {
  const client = loadClient(server.rootUrl, server.credentials, 1);
  console.log(
    `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, load average ${loadavg()[0]?.toFixed(1)}; started in ${Math.round(server.readyMs)} ms\n`,
  );
  console.log(
    "| list | first page, p50 / max | a page in the middle | CPU per page: Node + PostgreSQL | KiB |",
  );
  console.log("|---|---|---|---|---|");
  for (const list of lists) if (list.name.includes(options.only)) await measureList(client, server.pid, list);
  await client.close();
});

async function fill(db: pg.Client, home: string): Promise<void> {
  await fillDirectory(db, home, directory);
  await fillLists(db, sizes);
}

async function measureList(
  client: LoadClient,
  serverPid: number,
  { name, path, body, middle }: List,
): Promise<void> {
  const calls = Number(options.calls);
  let bytes = 0;
  const get = async (query: string): Promise<void> => {
    const url = `/api/${path}${query === "" ? "" : `${path.includes("?") ? "&" : "?"}${query}`}`;
    bytes = (await client.send(body === undefined ? "GET" : "POST", url, body)).length;
  };
  // Loads the pages of the database, and lets the just-in-time compiler finish.
  for (let i = 0; i < calls; i++) await get("");
  const first = await measure(serverPid, calls, 1, () => get(""));
  const text = (m: Measured): string =>
    [0.5, 1].map((share) => percentile(m.latencies, share).toFixed(1)).join(" / ") + " ms";
  let later = "–";
  if (middle !== undefined) {
    const query = `continuationToken=${encodePage(middle)}`;
    await get(query);
    later = text(await measure(serverPid, calls, 1, () => get(query)));
  }
  const { node, postgres } = first.cpu;
  const cpu = [node, postgres].map((seconds) => ((seconds / calls) * 1e3).toFixed(1)).join(" + ");
  console.log(`| ${name} | ${text(first)} | ${later} | ${cpu} ms | ${Math.round(bytes / 1024)} |`);
}
