// Runs the code blocks of the README, the guides and the examples in order, as a reader would: against a real server with a
// worker, in one shell per document. Marks in the documents (marks.ts) say what a block needs.
import { spawnSync } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/server/config/index.ts";
import { onlyIf } from "../support/only-if.ts";
import { preparedHome, startUp, type ServerProcess } from "../support/process.ts";
import { eventually } from "../support/until.ts";
import { checkSyntax } from "../docs/check-syntax.ts";
import { readDocument } from "../docs/documents.ts";
import { markedBlocks, wholeWord, type MarkedBlock } from "../docs/marks.ts";
import { missingFrom } from "../docs/output-shape.ts";
import { placeholders } from "../docs/placeholders.ts";
import { startShell, type Ran, type ShellSession } from "../docs/shell-session.ts";

const repository = path.resolve(".");
const guides = (await readdir("docs/guides")).map((name) => `docs/guides/${name}`);
const examples = (await readdir("examples")).map((name) => `examples/${name}/README.md`);
// What a reader of the README has run before reading a guide.
const setUp = `cd '${repository}'; eval "$(./bin/taskyard env)"; cd - >&2`;

const cleanups: (() => Promise<void>)[] = [];
const onCleanup = (cleanup: () => Promise<void>): void => void cleanups.push(cleanup);
let server: ServerProcess;
let home: string;
beforeAll(async () => {
  home = await preparedHome(onCleanup);
  server = await startUp({ home }, [], onCleanup);
  onCleanup(async () => {
    server.signal("SIGTERM");
    await server.exitStatus();
  });
});
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

/** The shell of a document, and what its blocks left behind. */
interface Walk {
  readonly shell: ShellSession;
  readonly folder: string;
  /** The output of the last block that ran. */
  printed: string;
  readonly started: { readonly block: MarkedBlock; readonly output: () => Promise<string> }[];
}

async function expectBlocksToRun(documentPath: string): Promise<void> {
  const blocks = markedBlocks(readDocument(documentPath));
  const base = path.join(home, documentPath.replaceAll(/\W/g, "-"));
  const [folder, scratch] = [path.join(base, "project"), path.join(base, "shell")];
  await mkdir(folder, { recursive: true });
  await mkdir(scratch);
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder, TASKYARD_HOME: home };
  const shell = startShell({ cwd: folder, env, scratch });
  const state: Walk = { shell, folder, printed: "", started: [] };
  try {
    if (documentPath !== "README.md") await shell.run(setUp);
    for (const block of blocks) {
      await walkBlock(block, state).catch((error: unknown) => {
        throw new Error(
          `${documentPath}:${block.line}: ${error instanceof Error ? error.message : String(error)}`,
          { cause: error },
        );
      });
    }
    for (const { block, output } of state.started) {
      await eventually(async () =>
        expect(await output(), `${documentPath}:${block.line} prints`).not.toBe(""),
      );
    }
  } finally {
    await shell.end();
  }
}

async function walkBlock(block: MarkedBlock, state: Walk): Promise<void> {
  const { language, mark } = block;
  const text = await substituted(block);
  if (mark.file !== undefined) {
    const file = path.join(state.folder, mark.file);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
    if (language !== "yaml") return checkSyntax(language, text);
    // Later blocks create the pool.
    if (/^providerId:/m.test(text)) return checkSyntax(language, text);
    if (/^(clients|roles|pools):/m.test(text))
      return walkScript(`taskyard apply --dry-run ${path.dirname(mark.file)}`, block, state);
    // A graph, or else a configuration.
    if (!/^tasks:/m.test(text)) return void loadConfig({ env: {}, cwd: state.folder, file });
    return walkScript(`taskyard graph run --dry-run ${mark.file}`, block, state);
  }
  if (mark.notRun !== undefined) return checkSyntax(language, text);
  if (language === "sh") return walkScript(text, block, state);
  if (language === "console") return walkConsole(text, block, state);
  if (language === "" || language === "text") return expectShown(text, state.printed);
  throw new Error(`a block of ${language} needs a mark: \`file NAME\` or \`not run: REASON\``);
}

const inFolder = (text: string, { mark }: MarkedBlock): string =>
  mark.inRepository === true ? `before=$PWD; cd '${repository}'\n${text}cd "$before"\n` : text;

async function walkScript(text: string, block: MarkedBlock, state: Walk): Promise<void> {
  if (block.mark.untilStopped === true) {
    const output = await state.shell.start(inFolder(text, block));
    state.started.push({ block, output });
    return;
  }
  const status = block.mark.status ?? 0;
  // A script that fails would end the shell.
  const script =
    status === 0 ? inFolder(text, block) : `(${inFolder(text, block)}) || status=$?; set +e; (exit $status)`;
  const ran = await state.shell.run(script);
  expectStatus(ran, status);
  state.printed = ran.out + ran.err;
}

/** Runs each line that starts with `$ `, and compares its output with the lines below. */
async function walkConsole(text: string, block: MarkedBlock, state: Walk): Promise<void> {
  const [before, ...calls] = text.split(/^\$ /m);
  if (before !== "") throw new Error("a console block starts with `$ COMMAND`");
  for (const call of calls) {
    const [, command = "", shown = ""] = /^((?:.*\\\n)*.*\n)([\s\S]*)$/.exec(call) ?? [];
    await walkScript(command, block, state);
    expectShown(shown, state.printed);
  }
}

async function substituted({ text, mark }: MarkedBlock): Promise<string> {
  let result = text;
  for (const [word, name] of mark.substitutes) {
    const value = await placeholders[name](server.client);
    result = result.replaceAll(wholeWord(word), value);
  }
  return result;
}

const expectStatus = ({ status, out, err }: Ran, expected: number): void =>
  expect(status, `the output was:\n${out}${err}`).toBe(expected);

const expectShown = (shown: string, printed: string): void =>
  expect(missingFrom(printed, shown), `the output was:\n${printed}`).toEqual([]);

const hasCurl = spawnSync("curl", ["--version"]).status === 0;
describe("every code block does what its document says", onlyIf(hasCurl, "it needs curl"), () => {
  test.each(["README.md", ...guides, ...examples])("%s", (document) => expectBlocksToRun(document));
});
