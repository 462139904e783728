// The home folder of the user that runs this process.
import { homedir } from "node:os";

/** Returns the home folder; for a user id without a name and without HOME, `/`, which container engines set then. */
export function userHome(): string {
  try {
    return homedir();
  } catch {
    return "/";
  }
}
