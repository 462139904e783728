import { expect, test } from "vitest";
import { markedBlocks } from "./marks.ts";
import { readMarkdown } from "./read-markdown.ts";

const block = (comment: string, text = "task why ID"): string =>
  `<!-- ${comment} -->\n\n\`\`\`sh\n${text}\n\`\`\`\n`;
const marksOf = (source: string) => markedBlocks(readMarkdown(source)).map(({ mark }) => mark);

test("a mark says what a block needs", () => {
  expect(
    marksOf(
      [
        block("test: exits with 3; in the repository; ID is a task that waits"),
        block("test: file a.yml; not run: it needs a; b"),
        block("test: runs until stopped"),
        block("another comment"),
      ].join("\n"),
    ),
  ).toEqual([
    { status: 3, inRepository: true, substitutes: [["ID", "a task that waits"]] },
    { file: "a.yml", notRun: "it needs a; b", substitutes: [] },
    { untilStopped: true, substitutes: [] },
    { substitutes: [] },
  ]);
});

test.each([
  ["<!-- test: exits with 3 -->\n\ntext\n", "line 1: the mark is not directly before a code block"],
  [block("test: exits with many"), 'line 3: the mark has the unknown clause "exits with many"'],
  [block("test: ID is a unicorn"), 'line 3: the mark has the unknown clause "ID is a unicorn"'],
  [
    block("test: GROUP is a task that waits"),
    "line 3: the mark replaces GROUP, which the block does not have",
  ],
])("rejects %j", (source, message) => {
  expect(() => marksOf(source)).toThrow(message);
});
