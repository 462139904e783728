import { describe, expect, test } from "vitest";
import { readMarkdown } from "./read-markdown.ts";

const lines = (...text: string[]): string => `${text.join("\n")}\n`;

describe("readMarkdown", () => {
  test("reads code blocks with their language and line, also indented ones", () => {
    const source = lines(
      "# A",
      "",
      "```sh",
      "echo `x` <!-- y -->",
      "",
      "```",
      "1. b",
      "   ```",
      "   c",
      "     d",
      "   ```",
    );
    expect(readMarkdown(source).blocks).toEqual([
      { language: "sh", text: "echo `x` <!-- y -->\n\n", line: 3 },
      { language: "", text: "c\n  d\n", line: 8 },
    ]);
    expect(readMarkdown(source).inlineCode).toEqual([]);
    expect(readMarkdown(source).comments).toEqual([]);
  });

  test("reads the comment directly before a block", () => {
    const source = lines("<!-- a", "b -->", "", "```", "```", "```", "```", "<!-- c -->", "d", "```", "```");
    expect(readMarkdown(source).blocks.map(({ comment }) => comment)).toEqual(["a b", undefined, undefined]);
  });

  test("reads inline code, also with backticks and line breaks in it, and nothing of comments", () => {
    const source = lines("Run `a b` or ``c `d` ``, then `e", "f`.", "<!-- `g`", "h -->", "| `i` | j |");
    const { inlineCode, comments } = readMarkdown(source);
    expect(inlineCode.map(({ text, line }) => [line, text])).toEqual([
      [1, "a b"],
      [1, "c `d`"],
      [1, "e f"],
      [5, "i"],
    ]);
    expect(comments).toEqual([{ text: "`g` h", line: 3 }]);
  });

  test("reads the targets of links and images", () => {
    const source = lines(
      'A [b](c.md#d), ![e](f.png "title") and',
      "[`g`",
      "h](i/j_(k).md), but not `[l](m)` or [n].",
    );
    expect(readMarkdown(source).links.map(({ text, line }) => [line, text])).toEqual([
      [1, "c.md#d"],
      [1, "f.png"],
      [3, "i/j_(k).md"],
    ]);
  });

  test("derives the anchors of headings as GitHub does", () => {
    const source = lines(
      "# How to add …",
      "## `a.b`: C & D",
      "## A [link](x.md)",
      "## Same",
      "## Same ##",
      "#no",
      "```",
      "# no",
      "```",
    );
    expect([...readMarkdown(source).anchors]).toEqual(["how-to-add-", "ab-c--d", "a-link", "same", "same-1"]);
  });

  test.each([
    ["an open block", lines("a", "```sh", "b"), "line 2: the code block is not closed"],
    ["another fence", lines("~~~"), "line 1: a code block starts with ```"],
    ["words after the language", lines("```sh title=x", "```"), "line 1: a code block starts with ```"],
    ["an open comment", lines("a", "", "<!-- b"), "line 3: a comment is not closed"],
    ["a single backtick", lines("a", "b `c", "", "d` e"), "line 2: a backtick has no counterpart"],
    [
      "a link with a definition",
      lines("[a]", "", "[a]: b.md"),
      "line 3: links with definitions are not supported",
    ],
  ])("rejects %s", (_, source, message) => {
    expect(() => readMarkdown(source)).toThrow(message);
  });
});
