// The page at `/`: what this server is, its health, and how to run a first task.
import type { HealthCheck } from "../core/health-check.ts";
import { html, type Html } from "./html.ts";
import { renderPage } from "./layout.ts";
import { inline } from "./markdown.ts";

export interface HomePage {
  readonly rootUrl: string;
  /** The line that sets up a shell on this machine for this server. Undefined if the page is for other machines. */
  readonly setupLine: string | undefined;
  readonly version: string;
  /** Whether callers without credentials may read nothing. The page then shows no state. */
  readonly isClosed: boolean;
  readonly health: readonly HealthCheck[];
}

/** Returns the page as text. */
export const renderHomePage = ({ rootUrl, setupLine, version, isClosed, health }: HomePage): string =>
  renderPage({
    title: "Taskyard",
    isClosed,
    body: html` <main>
        <h1>Tasks go in, results come out.</h1>
        <p class="lead">
          Taskyard queues tasks with their dependencies, assigns them to workers, stores their artifacts and
          publishes an event for each change. This server implements the wire API of Taskcluster.
        </p>
        ${isClosed ? CLOSED : renderHealth(health)}
        <h2>Run a first task</h2>
        <ol class="steps">
          ${firstTask(rootUrl, setupLine, isClosed).map(renderStep)}
        </ol>
        <h2>Look around</h2>
        <ul class="links">
          ${LINKS.filter(({ needsAccess }) => !(isClosed && needsAccess)).map(renderLink)}
        </ul>
      </main>
      <footer>Taskyard ${version} at ${rootUrl}</footer>`,
  });

const renderHealth = (health: readonly HealthCheck[]): Html =>
  html`<ul class="checks" aria-label="Health">
    ${health.map(renderCheck)}
  </ul>`;

const CLOSED = html`<p>
  ${inline(
    "This server is closed: its health, tasks, events and metrics are shown only to callers with credentials. In a shell " +
      "that has them, `taskyard ping` checks the server, and `taskyard queue list` shows its queues.",
  )}
</p>`;

const renderCheck = ({ name, state, detail }: HealthCheck): Html =>
  html`<li class="${state}"><b>${name}</b><span>${inline(detail)}</span></li>`;

interface Step {
  readonly text: string;
  readonly commands: readonly string[];
}

const firstTask = (rootUrl: string, setupLine: string | undefined, isClosed: boolean): readonly Step[] => [
  setupLine === undefined
    ? {
        text: "Point a shell at this server, with the credentials that you received from its operator:",
        commands: [
          `export TASKCLUSTER_ROOT_URL=${rootUrl}`,
          "export TASKCLUSTER_CLIENT_ID=…",
          "export TASKCLUSTER_ACCESS_TOKEN=…",
        ],
      }
    : {
        text: "Set up a shell on this machine. This puts `taskyard` on the PATH and sets the credentials:",
        commands: [setupLine],
      },
  {
    text: "Run a command as a task. Its log is streamed to the terminal, and `run` exits with its status:",
    commands: ["taskyard run -- sh -c 'echo hello; exit 3'"],
  },
  // curl cannot sign requests.
  ...(isClosed ? [] : [followEvents(rootUrl)]),
];

const followEvents = (rootUrl: string): Step => ({
  text: "Follow events as they happen:",
  commands: [
    `curl -NG ${rootUrl}/api/events/v1/connect \\`,
    `  --data-urlencode 'bindings={"bindings":[{`,
    `    "exchange":"exchange/taskcluster-queue/v1/task-completed",`,
    `    "routingKeyPattern":"#"}]}'`,
  ],
});

const renderStep = ({ text, commands }: Step): Html =>
  html`<li>
    <p>${inline(text)}</p>
    <pre><code>${commands.join("\n")}</code></pre>
  </li>`;

interface Link {
  readonly href: string;
  readonly text: string;
  readonly description: string;
  /** Whether a closed server refuses it. */
  readonly needsAccess?: boolean;
}

const LINKS: readonly Link[] = [
  { href: "/docs/api", text: "API", description: "all methods and events, with their scopes and schemas" },
  { href: "/openapi.json", text: "OpenAPI", description: "the API as one OpenAPI 3.1 document, for tools" },
  {
    href: "/references/manifest.json",
    text: "References",
    description: "the API in Taskcluster’s format, for its clients and generators",
  },
  {
    href: "/metrics",
    text: "Metrics",
    description: "metrics of this process, for Prometheus",
    needsAccess: true,
  },
  { href: "/__version__", text: "Version", description: "the version of this server" },
];

const renderLink = ({ href, text, description }: Link): Html =>
  html`<li><a href="${href}">${text}</a><span>${description}</span></li>`;
