// Settings of the worker-manager service.
import { duration, longestTimer, section } from "../../../lib/setting.ts";

const workerManager = section("The worker-manager service.", {
  loopInterval: duration("10s", {
    max: longestTimer,
    description:
      "How often workers that did not register again in time are removed, and expired workers, errors and deleted pools too.",
  }),
  stoppedRetention: duration("1d", {
    description: "How long a stopped worker of the provider `self` is listed.",
  }),
  errorRetention: duration("7d", { description: "How long the errors of worker pools are kept." }),
});

export const settings = { workerManager };
