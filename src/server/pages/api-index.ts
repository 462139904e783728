// The list of services at `/docs/api`, with what holds for all of them.
import type { Service } from "../../api/service.ts";
import { html } from "./html.ts";
import { renderPage } from "./layout.ts";
import { inline } from "./prose.ts";

/** Where the pages are. */
export const API_PAGES = "/docs/api";

/** The list of services. */
export const renderApiIndex = (services: readonly Service[]): string =>
  renderPage({
    title: "API · Taskyard",
    body: html` <main>
      <h1>API</h1>
      <p class="lead">
        JSON over HTTP. Every method says what it requires of its caller, takes and gives what its schemas
        say, and refuses with a message that says what would be right.
      </p>
      <ul class="links">
        ${services.map(
          ({ name, title, description }) =>
            html`<li><a href="${API_PAGES}/${name}">${title}</a><span>${inline(description)}</span></li>`,
        )}
      </ul>
      <h2>Credentials</h2>
      <p>
        Requests are signed with Hawk, by a client id and an access token; clients for many languages exist,
        and they read them from <code>TASKCLUSTER_CLIENT_ID</code>, <code>TASKCLUSTER_ACCESS_TOKEN</code> and
        <code>TASKCLUSTER_ROOT_URL</code>. A method without scopes is public.
      </p>
      <h2>Refusals</h2>
      <p>
        Every refusal has the same body: <code>code</code> says of what kind it is, <code>message</code> what
        was wrong and what would be right, <code>requestInfo</code> what was asked for.
      </p>
      <h2>For tools</h2>
      <ul class="links">
        <li><a href="/openapi.json">OpenAPI</a><span>all services as one OpenAPI 3.1 document</span></li>
        <li>
          <a href="/references/manifest.json">References</a
          ><span>methods, events and schemas in Taskcluster’s format</span>
        </li>
      </ul>
    </main>`,
  });
