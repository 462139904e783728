// The server's own HTML pages, until a web UI replaces them.
import type { FastifyInstance } from "fastify";
import type { Service } from "../../api/service.ts";
import type { Clock } from "../../lib/clock.ts";
import { cachedDocument, sendDocument, type CachedDocument } from "../core/http/send-document.ts";
import { setApiHeaders } from "../core/http/headers.ts";
import type { HealthCheck } from "../core/health-check.ts";
import type { Monitor } from "../core/monitor.ts";
import { API_PAGES, renderApiIndex } from "./api-index.ts";
import { renderHomePage } from "./home-page.ts";
import { pageHeaders } from "./layout.ts";
import { renderServicePage } from "./service-page.ts";

export interface PagesOptions {
  readonly services: Readonly<Record<string, Service>>;
  readonly rootUrl: () => string;
  /** Whether callers without credentials may read nothing about this instance. */
  readonly isClosed: boolean;
  /** The line that sets up a shell on this machine for this server. Undefined if the page is for other machines. */
  readonly setupLine: string | undefined;
  readonly version: string;
  /** Runs the health checks. The page is shown even if they fail or hang. */
  readonly health: () => Promise<readonly HealthCheck[]>;
  readonly clock: Clock;
  readonly monitor: Monitor;
}

/** A page that reports a hanging database must not hang with it. */
const HEALTH_TIMEOUT_MS = 2_000;

/** Serves `/` and the pages of the API. */
export function servePages(app: FastifyInstance, options: PagesOptions): void {
  app.get("/", async (request, reply) => {
    const { isClosed } = options;
    const health = isClosed ? [] : await healthInTime(options);
    setApiHeaders(request, reply);
    // Pages of other sites have no use for this one, which describes the machine.
    reply.removeHeader("access-control-allow-origin");
    const { setupLine, version } = options;
    return reply
      .headers(pageHeaders)
      .send(renderHomePage({ rootUrl: options.rootUrl(), isClosed, setupLine, version, health }));
  });
  const services = Object.values(options.services);
  // Rendered on the first request and cached: rendering all of them takes 13 ms of a server's start.
  const publish = (path: string, render: () => string): void => {
    let document: CachedDocument | undefined;
    app.get(path, (request, reply) => {
      document ??= cachedDocument(render(), pageHeaders);
      return sendDocument(request, reply, document);
    });
  };
  publish(API_PAGES, () => renderApiIndex(services, options.isClosed));
  for (const service of services)
    publish(`${API_PAGES}/${service.name}`, () => renderServicePage(service, options.isClosed));
}

async function healthInTime({ health, clock, monitor }: PagesOptions): Promise<readonly HealthCheck[]> {
  const unhealthy = (detail: string): HealthCheck[] => [{ name: "Server", state: "unhealthy", detail }];
  let cancel = (): void => {};
  const timeout = new Promise<HealthCheck[]>((resolve) => {
    const detail = "health checks take longer than two seconds";
    cancel = clock.after(HEALTH_TIMEOUT_MS, () => resolve(unhealthy(detail)));
  });
  try {
    return await Promise.race([health(), timeout]);
  } catch (err) {
    return unhealthy(`health checks failed; incident \`${monitor.reportError(err)}\``);
  } finally {
    cancel();
  }
}
