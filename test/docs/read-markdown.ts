// Reads what the tests of the documentation use of a Markdown file: code blocks, inline code, comments, links and headings.
// It rejects constructs that it would misread, so that the documents keep to the subset.

export interface CodeBlock {
  /** The word after the opening fence, or an empty string. */
  readonly language: string;
  readonly text: string;
  /** The line of the opening fence, from 1. */
  readonly line: number;
  /** The comment directly before the block, without its delimiters. */
  readonly comment?: string;
}

/** A piece of text and the line where it starts. */
export interface Located {
  readonly text: string;
  readonly line: number;
}

export interface Markdown {
  readonly blocks: readonly CodeBlock[];
  /** Text in backticks. A line break in it is read as a space. */
  readonly inlineCode: readonly Located[];
  /** HTML comments without their delimiters. */
  readonly comments: readonly Located[];
  /** The targets of links and images, without titles. */
  readonly links: readonly Located[];
  /** The fragments by which GitHub addresses the headings. */
  readonly anchors: ReadonlySet<string>;
}

/** Reads a file. Throws an error with the line of what it cannot read. */
export function readMarkdown(source: string): Markdown {
  const { blocks: bare, rest: prose } = takeBlocks(source);
  const blocks = bare.map((block) => ({ ...block, ...commentBefore(block, source) }));
  const { found: comments, rest: visible } = take(prose, /<!--([\s\S]*?)-->/g);
  rejectAny(visible, /<!--/, "a comment is not closed");
  const headings = [...visible.matchAll(/^#{1,6} +(.+?) *#*$/gm)].map(([, text = ""]) => text);
  // A span ends with as many backticks as it starts with, and does not cross an empty line.
  const { found: inlineCode, rest: plain } = take(
    visible,
    /(?<!`)(`+)(?!`)((?:(?!\n\s*\n)[\s\S])+?)(?<!`)\1(?!`)/g,
  );
  rejectAny(plain, /`/, "a backtick has no counterpart");
  rejectAny(plain, /^ {0,3}\[[^\]]+\]:/m, "links with definitions are not supported; write [text](target)");
  const { found: links } = take(plain, /\]\(([^()\s]*(?:\([^()\s]*\))?[^()\s]*)(?: "[^"]*")?\)/g);
  return { blocks, inlineCode, comments, links, anchors: anchorsOf(headings) };
}

/** Removes the code blocks. Their lines stay, empty, so that the lines of the rest keep their numbers. */
function takeBlocks(source: string): { blocks: CodeBlock[]; rest: string } {
  const blocks: CodeBlock[] = [];
  let open: { indent: string; language: string; line: number; lines: string[] } | undefined;
  const rest = source.split("\n").map((content, index) => {
    const line = index + 1;
    const [, indent = "", fence, info = ""] = /^(\s*)(`{3,}|~{3,})(.*)$/.exec(content) ?? [];
    if (open === undefined) {
      if (fence === undefined) return content;
      if (fence !== "```" || !/^[\w-]*$/.test(info)) {
        throw new Error(`line ${line}: a code block starts with \`\`\` and at most the name of its language`);
      }
      open = { indent, language: info, line, lines: [] };
    } else if (fence === "```" && info === "" && indent === open.indent) {
      const { language, lines, line: start } = open;
      blocks.push({ language, text: lines.map((text) => `${text}\n`).join(""), line: start });
      open = undefined;
    } else {
      open.lines.push(content.startsWith(open.indent) ? content.slice(open.indent.length) : content);
    }
    return "";
  });
  if (open !== undefined) throw new Error(`line ${open.line}: the code block is not closed`);
  return { blocks, rest: rest.join("\n") };
}

function commentBefore({ line }: CodeBlock, source: string): { comment?: string } {
  const before = source
    .split("\n", line - 1)
    .join("\n")
    .trimEnd();
  const start = before.endsWith("-->") ? before.lastIndexOf("<!--") : -1;
  return start === -1 ? {} : { comment: oneLine(before.slice(start + "<!--".length, -"-->".length)) };
}

const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, " ").trim();

/** Removes all matches except their line breaks. The last group of the pattern is the text of a match. */
function take(source: string, pattern: RegExp): { found: Located[]; rest: string } {
  const found: Located[] = [];
  let [line, end, rest] = [1, 0, ""];
  for (const match of source.matchAll(pattern)) {
    const before = source.slice(end, match.index);
    line += lineBreaks(before);
    const text = match.at(-1) ?? "";
    found.push({ text: oneLine(text), line });
    rest += before + match[0].replaceAll(/[^\n]/g, " ");
    line += lineBreaks(match[0]);
    end = match.index + match[0].length;
  }
  return { found, rest: rest + source.slice(end) };
}

function rejectAny(source: string, pattern: RegExp, problem: string): void {
  const match = pattern.exec(source);
  if (match !== null) throw new Error(`line ${lineBreaks(source.slice(0, match.index)) + 1}: ${problem}`);
}

const lineBreaks = (text: string): number => text.split("\n").length - 1;

/** Returns the fragments of headings: in lower case, without punctuation, numbered if they repeat. */
function anchorsOf(headings: readonly string[]): Set<string> {
  const anchors = new Set<string>();
  for (const heading of headings) {
    const text = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1");
    const base = text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, "")
      .replaceAll(" ", "-");
    let anchor = base;
    for (let n = 1; anchors.has(anchor); n += 1) anchor = `${base}-${n}`;
    anchors.add(anchor);
  }
  return anchors;
}
