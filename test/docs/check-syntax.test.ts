import { expect, test } from "vitest";
import { checkSyntax } from "./check-syntax.ts";

test.each([
  ["sh", "if true; then\n  echo …\nfi\n"],
  ["console", "$ echo 'a'\nit's\n"],
  ["ini", "# a\n[Service]\nExecStart=/bin/a b \\\n  c d\n\n"],
  ["dockerfile", "FROM a\nRUN b && \\\n    c\n"],
  ["nginx", "server {\n  listen 80;\n  location / {\n    a b;\n  }\n}\n"],
  ["caddyfile", "a.example {\n  reverse_proxy b:1 {\n    c -1\n  }\n}\n"],
  ["text", "anything {"],
])("accepts %s: %j", (language, text) => {
  expect(() => checkSyntax(language, text)).not.toThrow();
});

test.each([
  ["sh", "if true; then\n", /unexpected|end of file/],
  ["console", "$ echo 'a\n", /[Uu]nterminated/],
  ["json", "{a: 1}", /JSON/],
  ["yaml", "a: [1", /\]/],
  ["ini", "[Service]\nExecStart /bin/a\n", "unexpected line: ExecStart /bin/a"],
  ["dockerfile", "FRM a\n", "unexpected line: FRM a"],
  ["nginx", "server {\n  listen 80\n}\n", "unexpected line: listen 80"],
  ["nginx", "server {\n", "the braces do not match"],
  ["cobol", "", "there is no check for the syntax of cobol"],
])("rejects %s: %j", (language, text, message) => {
  expect(() => checkSyntax(language, text)).toThrow(message);
});
