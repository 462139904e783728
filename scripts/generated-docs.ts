// Generates `docs/reference/` from the API contract, the commands, the configuration schema, the worker's payload and the declarations
// of metrics.
import { renderApiDocs } from "../src/api/references/markdown.ts";
import { services } from "../src/api/services.ts";
import { renderCommandReference } from "../src/cli/command-reference.ts";
import { commands } from "../src/cli/commands.ts";
import { renderConfigReference } from "../src/server/config/reference.ts";
import { renderMetricsReference } from "../src/server/metrics-reference.ts";
import { renderPayloadReference } from "../src/worker/payload-reference.ts";
import type { GeneratedFile } from "./generated-file.ts";

export async function referencePages(): Promise<GeneratedFile[]> {
  return [
    ...renderApiDocs(Object.values(services)).map(({ file, text }) => ({
      path: `docs/reference/api/${file}`,
      text,
    })),
    { path: "docs/reference/commands.md", text: renderCommandReference(commands) },
    { path: "docs/reference/configuration.md", text: renderConfigReference() },
    { path: "docs/reference/worker-payload.md", text: renderPayloadReference() },
    { path: "docs/reference/metrics.md", text: await renderMetricsReference() },
  ];
}
