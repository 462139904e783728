// `npm run bench:auth`: what authentication, roles and changes of them cost in a deployment with many clients and roles.
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { connect } from "../src/client/index.ts";
import { scenarios } from "./auth-scenarios.ts";
import { loadClient } from "./client.ts";
import { fillDirectory } from "./fill-directory.ts";
import { withFilledServer } from "./filled-server.ts";
import type { Row } from "./row.ts";
import { head, lines } from "./table.ts";

const { values: options } = parseArgs({
  options: {
    clients: { type: "string", default: "100000" },
    rounds: { type: "string", default: "3" },
    // Factor for the number of calls; below 1 for a short trial.
    scale: { type: "string", default: "1" },
  },
});
const directory = { clients: Number(options.clients), roles: 5_000, parameterized: 2_000 };
const rounds = Number(options.rounds);

await withFilledServer({ fill: (db, home) => fillDirectory(db, home, directory) }, async (server) => {
  const client = loadClient(server.rootUrl, server.credentials, 64);
  console.log(
    `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, load average ${loadavg()[0]?.toFixed(1)}, ` +
      `${directory.clients} clients, ${directory.roles} roles; started in ${(server.readyMs / 1000).toFixed(1)} s\n`,
  );
  const bench = {
    client,
    admin: connect(server),
    serverPid: server.pid,
    scale: Number(options.scale),
    directory,
  };
  const measured: Row[][] = [];
  for (let round = -1; round < rounds; round++) {
    const rows: Row[] = [];
    for (const scenario of scenarios) rows.push(...(await scenario(bench)));
    // The first round lets the just-in-time compiler finish.
    if (round >= 0) measured.push(rows);
  }
  console.log([head, ...lines(measured)].join("\n"));
  await client.close();
});
