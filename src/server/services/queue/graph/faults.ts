// What is wrong with a call that creates many tasks: everything at once, each with its place.
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

/** A call that has faults of several codes gets the first of these. */
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

/** More are counted, and not told. */
const MAX_TOLD = 1000;

export interface Faults {
  add(path: string, code: FaultCode, message: string): void;
  readonly count: number;
  /** The refusal; `opening` goes before the list. */
  refusal(opening?: string): ApiError;
}

export function collectFaults(): Faults {
  const told: Fault[] = [];
  const met = new Set<ErrorCode>();
  let count = 0;
  return {
    add(path, code, message) {
      count++;
      met.add(codes[code]);
      if (told.length < MAX_TOLD) told.push({ path, code, message });
    },
    get count() {
      return count;
    },
    refusal(opening = "") {
      const more = count - told.length;
      const lines = told.map(({ path, message }) => `  * ${path}: ${message}`);
      if (more > 0) lines.push(`  * … and ${more} more`);
      const what = count === 1 ? "a fault" : `${count} faults`;
      return new ApiError(
        precedence.find((code) => met.has(code)) ?? "InputError",
        `${opening}The call has ${what}, so none of its tasks was created:\n${lines.join("\n")}`,
        { details: { faults: told, more } },
      );
    },
  };
}
