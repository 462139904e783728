import { describe, expect, test } from "vitest";
import { terminalFilter } from "./terminal-filter.ts";

const filtered = (...chunks: string[]): string => {
  const filter = terminalFilter();
  return Buffer.concat(chunks.map((chunk) => filter(Buffer.from(chunk)))).toString();
};

describe("a log on a terminal", () => {
  test.each([
    ["text in any language", "añb – 日本 €\t\r\n"],
    ["colors", "\u001b[1;31mred\u001b[0m \u001b[38;5;208mx\u001b[m"],
    ["progress bars", "10%\r\u001b[K20%\b\b"],
  ])("keeps %s", (_what, text) => {
    expect(filtered(text)).toBe(text);
  });

  test.each([
    ["the clipboard", "a\u001b]52;c;ZXZpbA==\u0007b", "ab"],
    ["the clipboard, ended by ST", "a\u001b]52;c;ZXZpbA==\u001b\\b", "ab"],
    ["the title", "a\u001b]0;title\u0007b", "ab"],
    ["hyperlinks", "\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\", "link"],
    ["device control strings", "a\u001bPq#0\u001b\\b", "ab"],
    ["cursor movements", "a\u001b[3A\u001b[2J\u001b[1;1Hb", "ab"],
    ["mode changes", "a\u001b[?1049hb\u001b[?25l", "ab"],
    ["reports", "a\u001b[6nb\u001b[c", "ab"],
    ["character sets", "a\u001b(Bb\u001b$)Cc", "abc"],
    ["other escapes", "a\u001bcb\u001b7c", "abc"],
    ["control characters", "a\u0000\u0007\u000e\u007fb", "ab"],
    ["C1 control characters", "a\u009d52;c;x\u009bb", "a52;c;xb"],
  ])("has no sequences for %s", (_what, text, expected) => {
    expect(filtered(text)).toBe(expected);
    // However the bytes are split into chunks.
    const filter = terminalFilter();
    const bytes = [...Buffer.from(text)].map((byte) => filter(Uint8Array.of(byte)));
    expect(Buffer.concat(bytes).toString()).toBe(expected);
  });

  test("goes on after a sequence that does not end", () => {
    expect(filtered("a\u001b]52;c;never ends\nnext line\n")).toBe("a\nnext line\n");
    expect(filtered("a\u001b[1;2\nnext")).toBe("a\nnext");
    expect(filtered("a\u001b\nnext\u001b")).toBe("a\nnext");
    expect(filtered(`a\u001b[${"1;".repeat(100)}b`)).toMatch(/^a[1;]{100,199}b$/);
  });
});
