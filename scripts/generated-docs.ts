// Generates `docs/reference/` from the API contract and the configuration schema.
import { renderApiDocs } from "../src/api/references/markdown.ts";
import { services } from "../src/api/services.ts";
import { renderConfigReference } from "../src/server/config/reference.ts";
import type { GeneratedFile } from "./generated-file.ts";

export function referencePages(): Promise<GeneratedFile[]> {
  return Promise.resolve([
    ...renderApiDocs(Object.values(services)).map(({ file, text }) => ({
      path: `docs/reference/api/${file}`,
      text,
    })),
    { path: "docs/reference/configuration.md", text: renderConfigReference() },
  ]);
}
