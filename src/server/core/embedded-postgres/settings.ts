// The configuration of the server: our settings, for a machine shared with other programs, overridden by the caller's.

/** Settings of PostgreSQL by name. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

const defaults: Settings = {
  max_connections: 100,
  shared_buffers: "128MB",
  // The checkpoint limits keep their defaults (1 GB, 5 min): rarer checkpoints would save some writes, but would make
  // recovery after a crash slower.
  min_wal_size: "256MB",
  // Compiling a plan takes longer than any of our statements runs.
  jit: false,
  // With solid state disks, index access is cheaper than the planner's default.
  random_page_cost: 1.1,
  // Bursts fill and empty tables, so vacuum and analyze must run soon.
  autovacuum_naptime: "10s",
  autovacuum_vacuum_scale_factor: 0.05,
  autovacuum_vacuum_cost_delay: "1ms",
  timezone: "UTC",
  log_timezone: "UTC",
  // Clients receive the errors of their statements. Only messages about the server itself are logged.
  log_min_messages: "log",
  log_checkpoints: false,
  log_autovacuum_min_duration: -1,
  log_line_prefix: "",
  lc_messages: "C",
};

/**
 * Returns the text of the configuration file. It includes the cluster's own `postgresql.conf`, then sets our values. An
 * administrator's `alter system` is read last and overrides both.
 */
export function configText(cluster: string, settings: Settings): string {
  const lines = Object.entries({ ...defaults, ...settings }).map(
    ([name, value]) => `${name} = ${quote(String(value))}`,
  );
  return [
    "# Written by Taskyard at every start. To change a setting, use `alter system set …` and restart.",
    `include_if_exists = ${quote(`${cluster}/postgresql.conf`)}`,
    ...lines,
    "",
  ].join("\n");
}

function quote(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
