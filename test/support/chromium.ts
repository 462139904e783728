// Chromium for tests of what runs in browsers.
import { existsSync } from "node:fs";
import { chromium, type Browser } from "playwright-core";
import { onlyIf } from "./only-if.ts";

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  existsSync,
);

/** The options of a test that needs Chromium. */
export const withChromium = onlyIf(executablePath !== undefined, "Chromium is not installed");

const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts a browser. The caller closes it. */
export const startChromium = (): Promise<Browser> =>
  chromium.launch({ ...(executablePath && { executablePath }), args });
