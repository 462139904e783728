// The publishers of worker-manager's events.
import { workerManagerApi } from "../../../api/worker-manager/index.ts";
import { publishersOf } from "../../core/event-log/publish.ts";

export const events = publishersOf(workerManagerApi);
