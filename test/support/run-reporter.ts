// Reports a test run: a line with the progress for each finished file, the failures, and a summary.
import { DefaultReporter, type TestCase, type TestModule, type TestSpecification } from "vitest/node";
import { count, summarize, type FinishedTest } from "./run-summary.ts";

/** Vitest expects a reporter as the default export of its module. */
export default class RunReporter extends DefaultReporter {
  #files = 0;
  #finished = 0;
  #modules: readonly TestModule[] = [];

  override onTestRunStart(specifications: readonly TestSpecification[]): void {
    this.#files = specifications.length;
    this.#finished = 0;
    super.onTestRunStart(specifications);
  }

  override onTestRunEnd(...args: Parameters<DefaultReporter["onTestRunEnd"]>): void {
    [this.#modules] = args;
    super.onTestRunEnd(...args);
  }

  protected override printTestModule(module: TestModule): void {
    this.#finished++;
    // The tests of a single file are listed one by one, and so are those of a file with failures.
    if (this.#files === 1 || module.state() === "failed") return super.printTestModule(module);
    const tests = [...module.children.allTests()];
    const skipped = tests.filter((test) => test.result().state === "skipped").length;
    const counts = `${count(tests.length, "test")}${skipped > 0 ? `, ${skipped} skipped` : ""}`;
    const progress = `[${String(this.#finished).padStart(String(this.#files).length)}/${this.#files}]`;
    const seconds = (module.diagnostic().duration / 1000).toFixed(1);
    this.log(`${progress} ${module.relativeModuleId} (${counts}, ${seconds} s)`);
  }

  override reportTestSummary(_files: unknown, errors: unknown[]): void {
    const all = this.#modules.flatMap((module) => [...module.children.allTests()].map(toFinished));
    // `vitest -t PATTERN` skips the other tests without a reason.
    const isFiltered = this.ctx.config.testNamePattern !== undefined;
    const lines = summarize({
      tests: isFiltered
        ? all.filter(({ state, reason }) => state !== "skipped" || reason !== undefined)
        : all,
      files: this.#modules.length,
      brokenFiles: this.#modules.filter((one) => one.errors().length > 0).map((one) => one.relativeModuleId),
      errors: errors.length,
      ms: this.end - this.start,
    });
    // `npm test` leaves the scenarios out, by `--exclude`.
    if (this.ctx.config.cliExclude?.some((pattern) => pattern.startsWith("test/scenarios"))) {
      lines.push("Not part of `npm test`: the scenarios. `npm run test:scenarios` runs them.");
    }
    this.log(`\n${lines.join("\n")}\n`);
  }
}

function toFinished(test: TestCase): FinishedTest {
  const result = test.result();
  const note = result.state === "skipped" ? result.note : undefined;
  return {
    file: test.module.relativeModuleId,
    name: test.fullName,
    state: result.state,
    reason: test.meta().leftOut ?? note,
  };
}
