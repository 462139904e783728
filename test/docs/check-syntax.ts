// Checks the syntax of code blocks that no test can run.
import { spawnSync } from "node:child_process";
import { parseAllDocuments } from "yaml";

type Check = (text: string) => void;

const checks: Readonly<Record<string, Check>> = {
  sh: checkShell,
  console: (text) => checkShell(text.replaceAll(/^(?!\$ ).*\n/gm, "").replaceAll(/^\$ /gm, "")),
  json: (text) => void JSON.parse(text),
  yaml: (text) => {
    for (const { errors } of parseAllDocuments(text)) for (const error of errors) throw error;
  },
  ini: checkLines(/^(\[\w+\]|[A-Z]\w+=.+)$/),
  dockerfile: checkLines(/^(FROM|RUN|COPY|WORKDIR|ENV|USER|VOLUME|EXPOSE|ENTRYPOINT|CMD|ARG|HEALTHCHECK) \S/),
  nginx: checkBraces(/^[a-z_]+ .*;$|^[a-z]+ .*\{$|^\}$/),
  caddyfile: checkBraces(/^[^{};]+\{?$|^\}$/),
  promql: () => undefined,
  // Compiled and run by test/scenarios/sdk-examples.test.ts.
  ts: () => undefined,
  text: () => undefined,
  "": () => undefined,
};

/** Throws if a text is not in this language, or if the language is unknown. */
export function checkSyntax(language: string, text: string): void {
  const check = checks[language];
  if (check === undefined) throw new Error(`there is no check for the syntax of ${language}`);
  check(text);
}

function checkShell(text: string): void {
  const { status, stderr } = spawnSync("sh", ["-n"], { input: text, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}

/** Checks each line that is neither empty nor a comment. A line may continue after a backslash. */
function checkLines(pattern: RegExp): Check {
  return (text) => {
    const lines = text
      .replaceAll(/\\\n\s*/g, " ")
      .split("\n")
      .map((line) => line.trim());
    const wrong = lines.find((line) => line !== "" && !line.startsWith("#") && !pattern.test(line));
    if (wrong !== undefined) throw new Error(`unexpected line: ${wrong}`);
  };
}

function checkBraces(pattern: RegExp): Check {
  const check = checkLines(pattern);
  return (text) => {
    check(text);
    const count = (brace: string): number => text.split(brace).length;
    if (count("{") !== count("}")) throw new Error("the braces do not match");
  };
}
