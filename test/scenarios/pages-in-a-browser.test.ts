// Checks the pages in a browser, if Chromium is installed.
import Fastify from "fastify";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startChromium, withChromium } from "../support/chromium.ts";
import { testMonitor } from "../support/monitor.ts";
import { services } from "../../src/api/services.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { HealthCheck } from "../../src/server/core/health-check.ts";
import { servePages } from "../../src/server/pages/index.ts";

const phone = { width: 390, height: 844 };
const desk = { width: 1280, height: 900 };
const evil = `</style><script>document.title = "broken"</script>`;
const health: readonly HealthCheck[] = [
  { name: "Database", state: "healthy", detail: evil },
  { name: "Worker", state: "unknown", detail: "none seen yet: start one with `taskyard worker`" },
];

describe("the pages in a browser", withChromium, () => {
  const app = Fastify();
  let rootUrl = "";
  let browser: Browser;
  // One for all tests: each new page starts several processes.
  let page: Page;
  let messages: string[] = [];
  beforeAll(async () => {
    servePages(app, {
      isClosed: false,
      setupLine: undefined,
      services,
      rootUrl: () => rootUrl,
      version: "1.2.3",
      health: () => Promise.resolve(health),
      clock: systemClock,
      monitor: testMonitor().monitor,
    });
    rootUrl = await app.listen({ host: "127.0.0.1", port: 0 });
    browser = await startChromium();
    page = await browser.newPage();
    page.on("console", (message) => messages.push(message.text()));
    page.on("requestfailed", (request) => messages.push(`failed: ${request.url()}`));
  });
  afterAll(async () => {
    await browser.close();
    await app.close();
  });

  /** Opens a page. From now on, `messages` has what the browser reports: a blocked style, a missing file, a broken script. */
  async function open(path: string, viewport = desk, colorScheme: "dark" | "light" = "light"): Promise<void> {
    messages = [];
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    await page.goto(rootUrl + path);
  }
  const widthOf = (): Promise<number> => page.evaluate("document.documentElement.scrollWidth");
  const colors = async (): Promise<{ paper: string; ink: string }> =>
    page.evaluate(
      "({ paper: getComputedStyle(document.documentElement).backgroundColor, ink: getComputedStyle(document.body).color })",
    );

  it("have their style and a heading, and cause no browser messages", async () => {
    for (const path of ["/", "/docs/api", "/docs/api/queue"]) {
      await open(path);
      expect([path, messages]).toEqual([path, []]);
      expect(await colors()).toEqual({ paper: "rgb(251, 250, 248)", ink: "rgb(28, 27, 26)" });
      expect(await page.getByRole("heading", { level: 1 }).count()).toBe(1);
    }
  });

  it("are dark if the reader prefers a dark color scheme", async () => {
    await open("/", desk, "dark");
    expect(await colors()).toEqual({ paper: "rgb(19, 20, 22)", ink: "rgb(233, 231, 226)" });
  });

  it("fit a phone without horizontal scrolling", async () => {
    for (const path of ["/", "/docs/api", "/docs/api/queue"]) {
      await open(path, phone);
      expect([path, await widthOf()]).toEqual([path, phone.width]);
    }
  });

  it("show external input as text", async () => {
    await open("/");
    expect(await page.getByRole("listitem").filter({ hasText: "Database" }).innerText()).toContain(evil);
    expect(await page.title()).toBe("Taskyard");
  });

  it("link from the home page to a method and from there to its schema", async () => {
    await open("/");
    await page.getByRole("link", { name: "API" }).first().click();
    await page.getByRole("link", { name: "Queue" }).click();
    await page
      .getByRole("navigation", { name: "Contents" })
      .getByRole("link", { name: "createTask", exact: true })
      .click();
    await page.locator("#method-createTask").getByRole("link", { name: "create-task-request.json" }).click();
    const schema = page.locator("#schema-create-task-request:target");
    expect(await schema.getByRole("row").filter({ hasText: "dependencies" }).innerText()).toContain(
      "at most 10000 items",
    );
    expect(messages).toEqual([]);
  });
});
