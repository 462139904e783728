// What replaces the placeholders of code blocks: tasks in the states that the documents describe.
import type { Client } from "../../src/client/index.ts";
import { createTask } from "../support/factories.ts";

/** Creates what a mark names, and returns its id. */
export const placeholders = {
  "a task that waits": (client) => createTask(client, { taskQueueId: "local/without-workers" }),
} satisfies Readonly<Record<string, (client: Client) => Promise<string>>>;

export type Placeholder = keyof typeof placeholders;
export const isPlaceholder = (name: string): name is Placeholder => Object.hasOwn(placeholders, name);
