// Who runs a command on this machine.
import { hostname, userInfo } from "node:os";

const MAX_LENGTH = 255;

/** Returns the current user of this machine in the form of an email address. */
export const localOwner = (): string => `${userName()}@${hostname()}`.slice(0, MAX_LENGTH);

/** In a container, the user may have an id without a name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? "unknown"}`;
  }
}
