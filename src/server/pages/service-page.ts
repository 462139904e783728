// The page of a service: its methods, events and schemas.
import type { Endpoint } from "../../api/endpoint.ts";
import type { Exchange } from "../../api/exchange.ts";
import { publishedRoute } from "../../api/references/api-reference.ts";
import { byCategory } from "../../api/references/categories.ts";
import { exampleCall } from "../../api/references/example-call.ts";
import { schemaPath } from "../../api/references/locations.ts";
import { outline, type OutlineRow } from "../../api/references/outline.ts";
import { namedSchemas } from "../../api/references/schemas.ts";
import type { Named } from "../../api/schema.ts";
import { exchangeName, type Service } from "../../api/service.ts";
import { html, type Html, type HtmlValue } from "./html.ts";
import { renderPage } from "./layout.ts";
import { inline, paragraphs } from "./markdown.ts";
import { renderScopes } from "./scope-list.ts";

/** Returns the page as text. */
export function renderServicePage(service: Service, isClosed: boolean): string {
  const parts = listParts(service);
  return renderPage({
    title: `${service.title} · Taskyard`,
    wide: true,
    isClosed,
    body: html`<h1>${service.title}</h1>
      <p class="lead">${inline(service.description)}</p>
      <p class="soft">Paths are relative to <code>/api/${service.name}/${service.version}</code>.</p>
      <div class="columns">
        <nav class="toc" aria-label="Contents">
          ${parts.map(
            ({ heading, entries }) =>
              html`<h2>${heading}</h2>
                <ul>
                  ${entries.map(({ id, name }) => html`<li><a href="#${id}">${breakable(name)}</a></li>`)}
                </ul>`,
          )}
        </nav>
        <main>
          ${parts.map(
            ({ heading, entries }) =>
              html`<h2>${heading}</h2>
                ${entries.map(({ id, body }) => html`<article id="${id}">${body}</article>`)}`,
          )}
        </main>
      </div>`,
  });
}

/** Lets a long name break between its words, and not within one. */
const breakable = (name: string): Html =>
  html`${name.split(/(?<=[a-z])(?=[A-Z])|(?<=-)/).map((word, i) => [i > 0 && html`<wbr />`, word])}`;

/** A heading of the table of contents with its entries. */
interface Part {
  readonly heading: string;
  readonly entries: readonly { readonly id: string; readonly name: string; readonly body: Html }[];
}

function listParts(service: Service): Part[] {
  const published = namedSchemas(service);
  const parts = [
    ...byCategory(service).map(([heading, endpoints]) => ({
      heading,
      entries: endpoints.map((e) => ({
        id: `method-${e.name}`,
        name: e.name,
        body: renderMethod(service, e),
      })),
    })),
    {
      heading: "Events",
      entries: Object.values(service.exchanges).map((x) => ({
        id: `event-${x.name}`,
        name: x.name,
        body: renderEvent(service, x),
      })),
    },
    {
      heading: "Schemas",
      entries: published.map((schema) => ({
        id: schemaAnchor(schema),
        name: fileName(schema),
        body: renderSchema(service, schema, published),
      })),
    },
  ];
  return parts.filter(({ entries }) => entries.length > 0);
}

function renderMethod(service: Service, endpoint: Endpoint): Html {
  const { name, method, path, stability, title, description, query, scopes, body, reply } = endpoint;
  const facts: [string, HtmlValue][] = [
    ...(query
      ? [
          fact(
            "Query",
            Object.keys(query).map((key) => html`<code>${key}</code> `),
          ),
        ]
      : []),
    ...(body ? [fact("Request", linkTo(body))] : []),
    ...(reply && reply !== "blob" ? [fact("Reply", linkTo(reply))] : []),
    fact("Scopes", scopes === undefined ? "none (public)" : renderScopes(scopes)),
  ];
  return html`<h3>${name}${stability !== "stable" && html`<span class="tag">${stability}</span>`}</h3>
    <p class="route"><b>${method}</b>${publishedRoute(path)}</p>
    <p><strong>${title.replace(/[^.?!]$/, "$&.")}</strong></p>
    ${paragraphs(description)}${definitions(facts)}${renderExample(service, endpoint)}`;
}

/** Folded: the examples of a service are several times as long as the rest of its methods. */
function renderExample(service: Service, endpoint: Endpoint): Html | undefined {
  const example = exampleCall(service, endpoint);
  if (example === undefined) return undefined;
  const { command, request, reply } = example;
  const block = (heading: string, text: string | undefined) =>
    text !== undefined &&
    html`<p>${heading}</p>
      <pre><code>${text}</code></pre>`;
  return html`<details class="example">
    <summary>Example</summary>
    ${block("Call", command)}${block("request.json", request)}${block("Reply", reply)}
  </details>`;
}

function renderEvent(service: Service, exchange: Exchange): Html {
  const words = exchange.routingKey.map(({ name, required, constant, summary }) => [
    html`<code>${name}</code>`,
    constant === undefined ? (required ? "" : "may be _") : "constant",
    inline(summary),
  ]);
  return html`<h3>${exchange.name}</h3>
    <p class="route">${exchangeName(service, exchange)}</p>
    <p><strong>${exchange.title}.</strong></p>
    ${paragraphs(exchange.description)}${definitions([
      fact("Message", linkTo(exchange.message)),
      ...(exchange.scope === undefined
        ? []
        : [fact("Scope of listeners", html`<code>${exchange.scope}</code>`)]),
    ])}
    ${table(["Routing key", "", "Meaning"], words.map(tableRow))}`;
}

function renderSchema(service: Service, schema: Named, published: readonly Named[]): Html {
  const url = schemaPath(service, schema);
  const rows = outline(schema, published);
  return html`<h3>${fileName(schema)}</h3>
    <p class="route"><a href="${url}">${url}</a></p>
    ${rows.length > 0 && table(["Member", "Type", "", "Meaning"], rows.map(renderRow))}`;
}

function renderRow(row: OutlineRow): Html {
  if ("form" in row)
    return html`<tr>
      <td class="form" colspan="4">${inline(row.form)}</td>
    </tr>`;
  const { path, type, link, required, notes, description } = row;
  return tableRow([
    html`<code>${path}</code>`,
    html`${type}${link && html`: ${linkTo(link)}`}`,
    required ? "required" : "",
    html`${description !== "" && html`${inline(description)} `}${inline(notes.join("; "))}`,
  ]);
}

const fact = (name: string, value: HtmlValue): [string, HtmlValue] => [name, value];

const definitions = (facts: readonly (readonly [string, HtmlValue])[]): Html =>
  html`<dl>
    ${facts.map(
      ([name, value]) =>
        html`<dt>${name}</dt>
          <dd>${value}</dd>`,
    )}
  </dl>`;

const table = (heads: readonly string[], rows: readonly Html[]): Html =>
  html`<div class="scroll">
    <table>
      <thead>
        <tr>
          ${heads.map((head) => html`<th>${head}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;

const tableRow = (cells: readonly HtmlValue[]): Html =>
  html`<tr>
    ${cells.map((cell) => html`<td>${cell}</td>`)}
  </tr>`;

const fileName = ({ file }: Named): string => file.replace(/^.*\//, "");
const schemaAnchor = (schema: Named): string => `schema-${fileName(schema).replace(/\.json$/, "")}`;
const linkTo = (schema: Named): Html => html`<a href="#${schemaAnchor(schema)}">${fileName(schema)}</a>`;
