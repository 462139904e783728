// The marks that control how the walk-through handles a code block: `<!-- test: CLAUSE; CLAUSE -->` before the block.
import { isPlaceholder, type Placeholder } from "./placeholders.ts";
import type { CodeBlock, Markdown } from "./read-markdown.ts";

export interface Mark {
  /** `not run: REASON`: only the syntax is checked. Last clause of a mark. */
  readonly notRun?: string;
  /** `file NAME`: the block is the content of this file, which later blocks use. A graph, deployment or configuration is checked. */
  readonly file?: string;
  /** `exits with N`. Default: 0. */
  readonly status?: number;
  /** `WORD is NAME`: what replaces a word (placeholders.ts). */
  readonly substitutes: readonly (readonly [word: string, Placeholder])[];
  /** `runs until stopped`: the block is started, must print something, and is stopped after the last block. */
  readonly untilStopped?: true;
  /** `in the repository`: the block runs in the folder of the repository. */
  readonly inRepository?: true;
}

export type MarkedBlock = CodeBlock & { readonly mark: Mark };

const prefix = "test:";

/** Returns the blocks of a document with their marks. Throws for a mark without a block or with an unknown clause. */
export function markedBlocks({ blocks, comments }: Markdown): MarkedBlock[] {
  const isMark = (comment = ""): boolean => comment.startsWith(prefix);
  const marks = comments.filter(({ text }) => isMark(text));
  const marked = blocks.filter(({ comment }) => isMark(comment));
  const stray = marks.find(({ text }) => !marked.some(({ comment }) => comment === text));
  if (stray !== undefined)
    throw new Error(`line ${stray.line}: the mark is not directly before a code block`);
  return blocks.map((block) => ({
    ...block,
    mark: isMark(block.comment)
      ? parseMark(block, block.comment?.slice(prefix.length) ?? "")
      : { substitutes: [] },
  }));
}

function parseMark(block: CodeBlock, text: string): Mark {
  const [, clauses = "", notRun] = /^(.*?)(?:not run: (.+))?$/.exec(text) ?? [];
  const parsed = clauses
    .split(";")
    .filter((clause) => clause.trim() !== "")
    .map((clause) => parseClause(block, clause.trim()));
  return {
    ...Object.assign({}, ...parsed),
    ...(notRun !== undefined && { notRun }),
    substitutes: parsed.flatMap(({ substitutes = [] }) => substitutes),
  };
}

function parseClause({ line, text }: CodeBlock, clause: string): Partial<Mark> {
  if (clause === "runs until stopped") return { untilStopped: true };
  if (clause === "in the repository") return { inRepository: true };
  const file = /^file (\S+)$/.exec(clause)?.[1];
  if (file !== undefined) return { file };
  const status = /^exits with (\d+)$/.exec(clause)?.[1];
  if (status !== undefined) return { status: Number(status) };
  const [, word = "", name = ""] = /^([A-Z_]+) is (.+)$/.exec(clause) ?? [];
  if (!isPlaceholder(name)) throw new Error(`line ${line}: the mark has the unknown clause "${clause}"`);
  if (!wholeWord(word).test(text))
    throw new Error(`line ${line}: the mark replaces ${word}, which the block does not have`);
  return { substitutes: [[word, name]] };
}

export const wholeWord = (word: string): RegExp => new RegExp(`(?<![\\w-])${word}(?![\\w-])`, "g");
