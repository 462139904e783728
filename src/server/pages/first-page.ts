// The page at `/`: what this is, how it is, and how to run a first task.
import { html, type Html } from "./html.ts";
import { renderPage } from "./layout.ts";
import { inline } from "./prose.ts";

/** How one of the things is that the server stands on. */
export interface HealthCheck {
  readonly name: string;
  readonly state: "well" | "unwell" | "unknown";
  /** A few words: "answers in 2 ms". Markdown code is allowed. */
  readonly detail: string;
}

export interface FirstPage {
  readonly rootUrl: string;
  readonly version: string;
  readonly health: readonly HealthCheck[];
}

/** The first page as HTML text. */
export const renderFirstPage = ({ rootUrl, version, health }: FirstPage): string =>
  renderPage({
    title: "Taskyard",
    body: html` <main>
        <h1>Tasks go in, results come out.</h1>
        <p class="lead">
          Taskyard keeps a queue of tasks with their dependencies, hands them to workers, keeps what they
          leave behind, and tells of everything that happens. This server speaks the wire API of Taskcluster.
        </p>
        <ul class="checks" aria-label="Health">
          ${health.map(renderCheck)}
        </ul>
        <h2>Run a first task</h2>
        <ol class="steps">
          ${firstTask(rootUrl).map(renderStep)}
        </ol>
        <h2>Look around</h2>
        <ul class="links">
          ${LINKS.map(renderLink)}
        </ul>
      </main>
      <footer>Taskyard ${version} at ${rootUrl}</footer>`,
  });

const renderCheck = ({ name, state, detail }: HealthCheck): Html =>
  html`<li class="${state}"><b>${name}</b><span>${inline(detail)}</span></li>`;

interface Step {
  readonly says: string;
  readonly commands: readonly string[];
}

const firstTask = (rootUrl: string): readonly Step[] => [
  {
    says: "Point a shell at this server. On the machine that runs it, one command knows the credentials:",
    commands: ['eval "$(npx taskyard env)"'],
  },
  {
    says: "Run a command as a task. Its log streams to the terminal, and its exit status becomes that of `run`:",
    commands: ["npx taskyard run -- sh -c 'echo hello; exit 3'"],
  },
  {
    says: "See what happens, as it happens:",
    commands: [
      `curl -NG ${rootUrl}/api/events/v1/connect \\`,
      `  --data-urlencode 'bindings={"bindings":[{`,
      `    "exchange":"exchange/taskcluster-queue/v1/task-completed",`,
      `    "routingKeyPattern":"#"}]}'`,
    ],
  },
];

const renderStep = ({ says, commands }: Step): Html =>
  html`<li>
    <p>${inline(says)}</p>
    <pre><code>${commands.join("\n")}</code></pre>
  </li>`;

interface Link {
  readonly href: string;
  readonly text: string;
  readonly says: string;
}

const LINKS: readonly Link[] = [
  { href: "/docs/api", text: "API", says: "every method with its scopes and schemas, every event" },
  { href: "/openapi.json", text: "OpenAPI", says: "the same as one OpenAPI 3.1 document, for tools" },
  {
    href: "/references/manifest.json",
    text: "References",
    says: "the same in Taskcluster’s format, for its clients and generators",
  },
  { href: "/metrics", text: "Metrics", says: "counters and timings of this process, for Prometheus" },
  { href: "/__version__", text: "Version", says: "what is running here" },
];

const renderLink = ({ href, text, says }: Link): Html =>
  html`<li><a href="${href}">${text}</a><span>${says}</span></li>`;
