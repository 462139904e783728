// The server's configuration: ours for a machine that it shares with other things, and the caller's on top.

/** Settings of PostgreSQL by name. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

const defaults: Settings = {
  max_connections: 100,
  shared_buffers: "128MB",
  // The limits of a recovery are left as they are (1 GB, 5 min): rarer checkpoints would save some writes, and
  // make each crash a longer outage.
  min_wal_size: "256MB",
  // Compiling a plan takes longer than any statement of ours runs.
  jit: false,
  // Solid state disks: an index is cheaper than the planner assumes.
  random_page_cost: 1.1,
  // Tables that a burst fills and empties: clean up soon, and tell the planner soon.
  autovacuum_naptime: "10s",
  autovacuum_vacuum_scale_factor: 0.05,
  autovacuum_vacuum_cost_delay: "1ms",
  timezone: "UTC",
  log_timezone: "UTC",
  // The client gets the errors of its statements; here is only what concerns the server itself.
  log_min_messages: "log",
  log_checkpoints: false,
  log_autovacuum_min_duration: -1,
  log_line_prefix: "",
  lc_messages: "C",
};

/**
 * Text of the configuration file. It takes in the cluster's own `postgresql.conf`, then sets ours; what an
 * administrator sets by `alter system` is read after both and wins.
 */
export function configText(cluster: string, settings: Settings): string {
  const lines = Object.entries({ ...defaults, ...settings }).map(
    ([name, value]) => `${name} = ${quote(String(value))}`,
  );
  return [
    "# Written by Taskyard at every start. To change a setting, use `alter system set …` and start again.",
    `include_if_exists = ${quote(`${cluster}/postgresql.conf`)}`,
    ...lines,
    "",
  ].join("\n");
}

function quote(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
