// The pages of `docs/reference/` that the contract and the schema of the configuration make.
import { renderApiDocs } from "../src/api/references/markdown.ts";
import { services } from "../src/api/services.ts";
import { renderConfigReference } from "../src/server/core/config/reference.ts";
import type { GeneratedFile } from "./generated.ts";

export function referencePages(): Promise<GeneratedFile[]> {
  return Promise.resolve([
    ...renderApiDocs(Object.values(services)).map(({ file, text }) => ({
      path: `docs/reference/api/${file}`,
      text,
    })),
    { path: "docs/reference/configuration.md", text: renderConfigReference() },
  ]);
}
