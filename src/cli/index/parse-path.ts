// Parses index paths on the command line.
import { INDEX_PATH } from "../../api/index/index.ts";
import { UsageError } from "../cli-error.ts";

/** Returns the path. Throws a `UsageError` for anything else, before a request is made. */
export function parsePath(word = ""): string {
  if (INDEX_PATH.test(word)) return word;
  throw new UsageError(
    `${word === "" ? "an empty text" : word} is not an index path: write parts separated by dots, such as project.nightly.linux, of letters, digits and -_!~*'()%`,
  );
}
