// Definitions in lists whose pages end at a number of bytes.
import Type from "typebox";
import type { TaskDefinition } from "../../../../api/queue/task.ts";
import { jsonText } from "../../../core/json.ts";
import { unlessFull } from "../../../core/pagination.ts";
import { sql, type Sql } from "../../../core/sql.ts";

/** A definition, or null if the page is full before it. */
export const DefinitionUnlessFull = Type.Union([jsonText<TaskDefinition>(), Type.Null()]);

/** Selects the definition `d`, or null if the rows before it (in the order of `order`) already have `room` bytes. */
export const definitionUnlessFull = (order: Sql, room?: number): Sql =>
  unlessFull(sql`d.definition`, sql`octet_length(d.definition)`, order, room);
