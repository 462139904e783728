import Fastify, { type FastifyInstance } from "fastify";
import { describe, expect, it } from "vitest";
import { exampleCall } from "../../api/references/example-call.ts";
import { publishedEndpoints } from "../../api/service.ts";
import { services } from "../../api/services.ts";
import { ifThen } from "../../lib/scopes/template.ts";
import { manualClock, type ManualClock } from "../../../test/support/clock.ts";
import { testMonitor } from "../../../test/support/monitor.ts";
import type { HealthCheck } from "../core/health-check.ts";
import { html } from "./html.ts";
import { servePages } from "./index.ts";
import { renderScopes } from "./scope-list.ts";

const healthy: HealthCheck = { name: "Database", state: "healthy", detail: "responds in `1 ms`" };

function server(
  health: () => Promise<readonly HealthCheck[]>,
  {
    clock = manualClock(),
    setupLine,
    isClosed = false,
  }: { clock?: ManualClock; setupLine?: string; isClosed?: boolean } = {},
): FastifyInstance {
  const app = Fastify();
  const rootUrl = (): string => "https://ci.example.com";
  const { monitor } = testMonitor();
  servePages(app, { services, rootUrl, isClosed, setupLine, version: "1.2.3", health, clock, monitor });
  return app;
}
const app = server(() => Promise.resolve([healthy]));

describe("GET /", () => {
  it("shows the server's health and how to run a first task", async () => {
    const { body, statusCode, headers } = await app.inject("/");
    expect([statusCode, headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"]);
    expect(headers).not.toHaveProperty("access-control-allow-origin");
    expect(body).toContain(
      '<li class="healthy"><b>Database</b><span>responds in <code>1 ms</code></span></li>',
    );
    expect(body).toContain("<code>taskyard run -- sh -c &#39;echo hello; exit 3&#39;</code>");
    expect(body).toContain("curl -NG https://ci.example.com/api/events/v1/connect");
    expect(body).toContain("Taskyard 1.2.3 at https://ci.example.com");
  });

  it("shows how to set up a shell: by a command on this machine, else with credentials of the operator", async () => {
    const checks = (): Promise<HealthCheck[]> => Promise.resolve([healthy]);
    const local = await server(checks, { setupLine: 'eval "$(/opt/taskyard/bin/taskyard env)"' }).inject("/");
    expect(local.body).toContain("<code>eval &quot;$(/opt/taskyard/bin/taskyard env)&quot;</code>");
    const { body } = await app.inject("/");
    expect(body).toContain(
      "export TASKCLUSTER_ROOT_URL=https://ci.example.com\nexport TASKCLUSTER_CLIENT_ID=…",
    );
    expect(body).not.toContain("taskyard env");
  });

  it("of a closed server shows no health, and how to look with credentials", async () => {
    const closed = server(() => Promise.resolve([healthy]), { isClosed: true });
    const { body } = await closed.inject("/");
    expect(body).not.toContain("responds in");
    expect(body).not.toContain("/api/events/v1/connect");
    for (const path of ["/", "/docs/api", "/docs/api/queue"])
      expect((await closed.inject(path)).body).not.toContain("/metrics");
    expect(body).toMatch(/This server is closed: [^]*<code>taskyard queue list<\/code> shows its queues/);
  });

  it("links to references, OpenAPI, metrics and the pages of the API", async () => {
    const { body } = await app.inject("/");
    for (const path of [
      "/docs/api",
      "/openapi.json",
      "/references/manifest.json",
      "/metrics",
      "/__version__",
    ])
      expect(body).toContain(`<a href="${path}">`);
  });

  it("is not cached, and may load and run nothing", async () => {
    const { headers } = await app.inject("/");
    expect(headers["cache-control"]).toBe("no-store no-cache must-revalidate");
    expect(headers["content-security-policy"]).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/]+='; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
    );
    expect(headers).toMatchObject({ "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" });
  });

  it("shows that the health checks failed, with the id of the reported incident", async () => {
    const { body, statusCode } = await server(() => Promise.reject(new Error("secret"))).inject("/");
    expect(statusCode).toBe(200);
    expect(body).toMatch(
      /<li class="unhealthy"><b>Server<\/b><span>health checks failed; incident <code>[\w-]+<\/code>/,
    );
    expect(body).not.toContain("secret");
  });

  it("waits two seconds for the health checks, and no longer", async () => {
    const clock = manualClock();
    let onStart = (): void => {};
    const started = new Promise<void>((resolve) => (onStart = resolve));
    const hanging = server(() => new Promise(() => onStart()), { clock });
    const reply = hanging.inject("/").then(({ body }) => body);
    await started;
    await clock.advance(2_000);
    expect(await reply).toContain("health checks take longer than two seconds");
    expect(clock.pending()).toBe(0);
  });
});

describe("the pages of the API", () => {
  it("start with a list of services", async () => {
    const { body } = await app.inject("/docs/api");
    for (const { name, title } of Object.values(services))
      expect(body).toContain(`<a href="/docs/api/${name}">${title}</a>`);
  });

  it("show every method, event and schema of a service, without dead links", async () => {
    const { body } = await app.inject("/docs/api/queue");
    const ids = new Set([...body.matchAll(/<article id="([^"]+)"/g)].map(([, id]) => id));
    const { endpoints, exchanges } = services.queue;
    for (const { name } of Object.values(endpoints)) expect(ids).toContain(`method-${name}`);
    for (const { name } of Object.values(exchanges)) expect(ids).toContain(`event-${name}`);
    const links = [...body.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id);
    expect(links.length).toBeGreaterThan(100);
    for (const id of links) expect(ids).toContain(id);
  });

  it("show the route, stability and scopes of a method", async () => {
    const { body } = await app.inject("/docs/api/queue");
    expect(body).toContain("<b>POST</b>/task/&lt;taskId&gt;/runs/&lt;runId&gt;/claim");
    expect(body).toContain('claimTask<span class="tag">deprecated</span>');
    expect(body).toContain("<code>queue:claim-work:&lt;taskQueueId&gt;</code>");
    expect(body).toContain("none (public)");
  });

  it("show an example of each method with a body or a reply as JSON", async () => {
    for (const service of Object.values(services)) {
      const { body } = await app.inject(`/docs/api/${service.name}`);
      for (const endpoint of publishedEndpoints(service)) {
        const article = body.split(`<article id="method-${endpoint.name}">`)[1]?.split("</article>")[0];
        const example = exampleCall(service, endpoint);
        for (const text of [example?.command, example?.request, example?.reply])
          if (text !== undefined) expect(article).toContain(html`<pre><code>${text}</code></pre>`.text);
        expect(article?.includes("<summary>Example</summary>")).toBe(example !== undefined);
      }
    }
  });

  it("are cached by browsers and revalidated by ETag", async () => {
    const { headers } = await app.inject("/docs/api/queue");
    expect(headers["cache-control"]).toBe("public, max-age=300");
    const again = await app.inject({
      url: "/docs/api/queue",
      headers: { "if-none-match": String(headers.etag) },
    });
    expect(again.statusCode).toBe(304);
  });
});

describe("renderScopes", () => {
  it("shows both branches of a condition", () => {
    const text = renderScopes(ifThen("public", "a", "b")).text.replace(/\s+/g, "");
    expect(text).toBe(
      "<ul><li>if<code>public</code><ul><li><code>a</code></li></ul></li><li>otherwise<ul><li><code>b</code></li></ul></li></ul>",
    );
  });
});
