// The pages that the server itself shows to people, until a web UI stands in their place.
import type { FastifyInstance } from "fastify";
import type { Service } from "../../api/service.ts";
import type { Clock } from "../../lib/clock.ts";
import { sendDocument, wireDocument } from "../core/http/documents.ts";
import { setApiHeaders } from "../core/http/headers.ts";
import type { Monitor } from "../core/monitor.ts";
import { API_PAGES, renderApiIndex } from "./api-index.ts";
import { renderFirstPage, type HealthCheck } from "./first-page.ts";
import { pageHeaders } from "./layout.ts";
import { renderServicePage } from "./service-page.ts";

export type { HealthCheck } from "./first-page.ts";

export interface PagesOptions {
  readonly services: Readonly<Record<string, Service>>;
  readonly rootUrl: () => string;
  readonly version: string;
  /** How the server is. May fail or take its time: the page is shown anyway. */
  readonly health: () => Promise<readonly HealthCheck[]>;
  readonly clock: Clock;
  readonly monitor: Monitor;
}

/** A page that tells of a database that hangs must not hang with it. */
const HEALTH_TIMEOUT_MS = 2_000;

/** Adds `/` and the pages of the API. */
export function servePages(app: FastifyInstance, options: PagesOptions): void {
  app.get("/", async (request, reply) => {
    const health = await healthInTime(options);
    setApiHeaders(request, reply);
    return reply
      .headers(pageHeaders)
      .send(renderFirstPage({ rootUrl: options.rootUrl(), version: options.version, health }));
  });
  const services = Object.values(options.services);
  const publish = (path: string, text: string): void => {
    const document = wireDocument(text, pageHeaders);
    app.get(path, (request, reply) => sendDocument(request, reply, document));
  };
  publish(API_PAGES, renderApiIndex(services));
  for (const service of services) publish(`${API_PAGES}/${service.name}`, renderServicePage(service));
}

async function healthInTime({ health, clock, monitor }: PagesOptions): Promise<readonly HealthCheck[]> {
  const server = (detail: string): HealthCheck[] => [{ name: "Server", state: "unwell", detail }];
  let cancel = (): void => {};
  const late = new Promise<HealthCheck[]>((resolve) => {
    const says = "does not know how it is: its checks take longer than two seconds";
    cancel = clock.after(HEALTH_TIMEOUT_MS, () => resolve(server(says)));
  });
  try {
    return await Promise.race([health(), late]);
  } catch (err) {
    return server(`could not check how it is; incident \`${monitor.reportError(err)}\``);
  } finally {
    cancel();
  }
}
