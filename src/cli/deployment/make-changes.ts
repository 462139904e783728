// Makes the changes of a plan, one after the other.
import type { Client } from "../../client/connect.ts";
import type { Change } from "./kind.ts";

/** What is reported while changes are made. */
export interface Progress {
  /** A client was created. Its token is nowhere else. */
  onToken(clientId: string, accessToken: string): Promise<void>;
  onMade(change: Change): void;
}

export interface Outcome {
  readonly made: readonly Change[];
  /** The first change that failed. Those after it were not tried. */
  readonly failed?: { readonly change: Change; readonly error: unknown };
}

/** Makes the changes until one fails. What is left to do is then what the next run finds. */
export async function makeChanges(
  client: Client,
  changes: readonly Change[],
  { onToken, onMade }: Progress,
): Promise<Outcome> {
  const made: Change[] = [];
  for (const change of changes) {
    try {
      await change.kind.make(client, change, (accessToken) => onToken(change.id, accessToken));
    } catch (error) {
      return { made, failed: { change, error } };
    }
    made.push(change);
    onMade(change);
  }
  return { made };
}
