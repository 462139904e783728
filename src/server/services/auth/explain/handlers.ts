// The methods that explain scopes over HTTP.
import type { explainEndpoints } from "../../../../api/auth/endpoints/explain.ts";
import type { HandlersOf } from "../../../core/http/serve.ts";
import { explainScopes, type ExplainContext } from "./explain-scopes.ts";
import { previewRole, type PreviewContext } from "./preview-role.ts";

export function explainHandlers(ctx: ExplainContext & PreviewContext): HandlersOf<typeof explainEndpoints> {
  const [explain, preview] = [explainScopes(ctx), previewRole(ctx)];
  return {
    explainScopes: ({ caller, body }) => explain(caller, body),
    previewRole: ({ caller, body }) => preview(caller, body),
  };
}
