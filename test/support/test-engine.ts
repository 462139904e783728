// The native engine as a worker creates it on this machine, with another environment.
import type { Engine } from "../../src/worker/engine.ts";
import { nativeEngine, type NativeOptions } from "../../src/worker/engines/native/engine.ts";
import { findTaskUser } from "../../src/worker/engines/native/task-user.ts";

/** The user that runs the commands of tasks: an unprivileged one, also if the tests run as root. */
export const taskUser = await findTaskUser();

/** By default without namespaces, which not every machine allows. */
export const testEngine = (options: Partial<NativeOptions> = {}): Engine =>
  nativeEngine({ environment: {}, user: taskUser, namespaces: false, ...options });
