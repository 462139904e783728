// The page at `/docs/api`: the list of services, and what they have in common.
import type { Service } from "../../api/service.ts";
import { html } from "./html.ts";
import { renderPage } from "./layout.ts";
import { inline } from "./markdown.ts";

/** The path below which the pages of the API are. */
export const API_PAGES = "/docs/api";

/** Returns the page as text. */
export const renderApiIndex = (services: readonly Service[], isClosed: boolean): string =>
  renderPage({
    title: "API · Taskyard",
    isClosed,
    body: html` <main>
      <h1>API</h1>
      <p class="lead">
        JSON over HTTP. Each method lists the scopes that it requires and the schemas of its request and
        reply. Error messages state what is wrong and how to correct it.
      </p>
      <ul class="links">
        ${services.map(
          ({ name, title, description }) =>
            html`<li><a href="${API_PAGES}/${name}">${title}</a><span>${inline(description)}</span></li>`,
        )}
      </ul>
      <h2>Credentials</h2>
      <p>
        Requests are signed with Hawk, using a client id and an access token. Clients exist for many
        languages. They read <code>TASKCLUSTER_ROOT_URL</code>, <code>TASKCLUSTER_CLIENT_ID</code> and
        <code>TASKCLUSTER_ACCESS_TOKEN</code> from the environment. A method without scopes is public.
      </p>
      <h2>Errors</h2>
      <p>
        All errors have the same body: <code>code</code> is the kind of error, <code>message</code> describes
        what is wrong and how to correct it, and <code>requestInfo</code> repeats the request.
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
