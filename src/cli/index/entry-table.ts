// The table of index entries.
import type { ReplyOf } from "../../api/endpoint.ts";
import type { indexApi } from "../../api/index/index.ts";
import { localTime } from "../format.ts";

type Entry = ReplyOf<typeof indexApi.endpoints.findTask>;

export const entryHeader = ["TASK", "RANK", "EXPIRES", "PATH"] as const;

export const entryRow = ({ taskId, rank, expires, namespace }: Entry): string[] => [
  taskId,
  String(rank),
  localTime(expires),
  namespace,
];
