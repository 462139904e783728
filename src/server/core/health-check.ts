// The result of one health check, as the home page shows it.

export interface HealthCheck {
  readonly name: string;
  readonly state: "healthy" | "unhealthy" | "unknown";
  /** A few words: "responds in 2 ms". Markdown code is allowed. */
  readonly detail: string;
}
