// Public API of the secrets service.
import { secretsApi } from "../../../api/secrets/index.ts";
import { defineService } from "../../core/service.ts";
import { expireSecrets } from "./expire-secrets.ts";
import { secretsHandlers } from "./handlers.ts";
import { settings } from "./settings.ts";
import { secretColumn } from "./store.ts";
import { secretsUseCases } from "./use-cases.ts";

export const secretsService = defineService({
  api: secretsApi,
  settings,
  metrics: {},
  encrypted: [secretColumn],
  create({ db, clock, keyRing, config }) {
    const useCases = secretsUseCases({ db, clock, keyRing });
    return {
      handlers: secretsHandlers(useCases),
      provides: useCases,
      loops: [
        {
          name: "secret-expiry",
          intervalMs: config.secrets.loopInterval,
          runOnce: expireSecrets({ db, clock }),
        },
      ],
    };
  },
});
