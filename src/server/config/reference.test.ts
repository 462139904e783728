import { describe, expect, it } from "vitest";
import { catalog } from "./catalog.ts";
import { renderConfigReference } from "./reference.ts";

describe("renderConfigReference", () => {
  const page = renderConfigReference();
  const row = (key: string) => page.split("\n").find((line) => line.startsWith(`| \`${key}\` |`));

  it("has a row of four cells for every setting", () => {
    for (const key of catalog.keys()) expect(row(key)?.split(/(?<!\\)\|/)).toHaveLength(6);
  });

  it("shows variables, the default in the notation of the file, and the description", () => {
    expect(row("queue.claimTimeout")).toBe(
      "| `queue.claimTimeout` | `TASKYARD_QUEUE_CLAIM_TIMEOUT` | `20m` | How long a claim lasts unless the worker reclaims it. |",
    );
    expect(row("server.port")).toContain("| `TASKYARD_SERVER_PORT`<br>`TASKYARD_PORT` | `8080` |");
    expect(row("artifacts.dir")).toContain("| artifacts in the home folder |");
    expect(row("log.level")).toContain("One of `trace`, `debug`,");
    expect(row("auth.secret")).toContain("Secret: never shown in errors or logs.");
  });
});
