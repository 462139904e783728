// Collects everything that is wrong with a call that creates many tasks, each fault with its place.
import { ApiError, type ErrorCode } from "../../../../lib/errors.ts";

/** Kinds of faults, and the code of a call that has them. */
const codes = {
  "missing-scopes": "InsufficientScopes",
  schema: "InputValidationError",
  definition: "InputError",
  "duplicate-id": "InputError",
  cycle: "InputError",
  "unknown-dependency": "InputError",
  "expiring-dependency": "InputError",
  "id-taken": "RequestConflict",
  "other-scheduler": "RequestConflict",
  "sealed-group": "RequestConflict",
} as const satisfies Readonly<Record<string, ErrorCode>>;
export type FaultCode = keyof typeof codes;

/** A call with faults of several codes is refused with the first of these. */
const precedence: readonly ErrorCode[] = [
  "InsufficientScopes",
  "InputValidationError",
  "InputError",
  "RequestConflict",
];

export interface Fault {
  /** Such as `tasks[17].task.deadline`. */
  readonly path: string;
  readonly code: FaultCode;
  readonly message: string;
}

/** Further faults are only counted. */
const MAX_LISTED = 1000;

export interface Faults {
  add(path: string, code: FaultCode, message: string): void;
  readonly count: number;
  /** Returns the refusal; `opening` is put before the list. */
  refusal(opening?: string): ApiError;
}

export function collectFaults(): Faults {
  const listed: Fault[] = [];
  const found = new Set<ErrorCode>();
  let count = 0;
  return {
    add(path, code, message) {
      count++;
      found.add(codes[code]);
      if (listed.length < MAX_LISTED) listed.push({ path, code, message });
    },
    get count() {
      return count;
    },
    refusal(opening = "") {
      const more = count - listed.length;
      const lines = listed.map(({ path, message }) => `  * ${path}: ${message}`);
      if (more > 0) lines.push(`  * … and ${more} more`);
      const what = count === 1 ? "a fault" : `${count} faults`;
      // oxlint-disable-next-line messages/next-step -- each fault states what would be right
      return new ApiError(
        precedence.find((code) => found.has(code)) ?? "InputError",
        `${opening}The call has ${what}, so none of its tasks was created:\n${lines.join("\n")}`,
        { details: { faults: listed, more } },
      );
    },
  };
}
