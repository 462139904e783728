// The API documentation as Markdown: a page for each service, with its methods, events and schemas.
import type { Endpoint } from "../endpoint.ts";
import type { Exchange } from "../exchange.ts";
import type { Named } from "../schema.ts";
import { exchangeName, type Service } from "../service.ts";
import { publishedRoute } from "./api-reference.ts";
import { byCategory } from "./categories.ts";
import { exampleCall } from "./example-call.ts";
import { schemaPath } from "./locations.ts";
import { outline, type OutlineRow } from "./outline.ts";
import { namedSchemas } from "./schemas.ts";
import { scopesAsMarkdown } from "./scope-text.ts";

/** A page: its file name and text. */
export interface Page {
  readonly file: string;
  readonly text: string;
}

/** Returns an index and a page for each service. */
export const renderApiDocs = (services: readonly Service[]): Page[] => [
  { file: "README.md", text: renderIndex(services) },
  ...services.map((service) => ({ file: `${service.name}.md`, text: renderService(service) })),
];

const GENERATED = "<!-- Generated from src/api by `npm run generate`. -->";

const renderIndex = (services: readonly Service[]): string =>
  paragraphs(
    "# API",
    GENERATED,
    services.map(({ name, title, description }) => `* [${title}](${name}.md): ${description}`).join("\n"),
    "A server publishes the same content under `/references/manifest.json`, as OpenAPI under `/openapi.json`, and as web pages under `/docs/api`.",
    "Every error reply has the same body: `code` is the kind of error, `message` states what is wrong and what would be right, and `requestInfo` describes the request.",
  );

function renderService(service: Service): string {
  const published = namedSchemas(service);
  const exchanges = Object.values(service.exchanges);
  return paragraphs(
    `# ${service.title}`,
    GENERATED,
    service.description,
    `The paths of methods are relative to \`/api/${service.name}/${service.version}\`.`,
    ...byCategory(service).flatMap(([category, endpoints]) => [
      `## ${category}`,
      ...endpoints.flatMap((endpoint) => renderMethod(service, endpoint)),
    ]),
    ...(exchanges.length === 0 ? [] : ["## Events", ...exchanges.flatMap((x) => renderEvent(service, x))]),
    ...(published.length === 0 ? [] : ["## Schemas"]),
    ...published.flatMap((schema) => renderSchema(service, schema, published)),
  );
}

function renderMethod(service: Service, endpoint: Endpoint): string[] {
  const { method, path, name, stability, title, description, query, scopes, body, reply } = endpoint;
  const facts = [
    ...(query ? [`Query: ${Object.keys(query).map(code).join(", ")}`] : []),
    ...(body ? [`Request: ${linkTo(body)}`] : []),
    ...(reply && reply !== "blob" ? [`Reply: ${linkTo(reply)}`] : []),
  ];
  return [
    `### ${name}`,
    `${code(`${method} ${publishedRoute(path)}`)} · ${stability}`,
    `**${sentence(title)}** ${description}`,
    ...(facts.length === 0 ? [] : [facts.map((fact) => `* ${fact}`).join("\n")]),
    ...(scopes === undefined ? ["Public: requires no scopes."] : ["Scopes:", scopesAsMarkdown(scopes)]),
    ...renderExample(service, endpoint),
  ];
}

function renderExample(service: Service, endpoint: Endpoint): string[] {
  const example = exampleCall(service, endpoint);
  if (example === undefined) return [];
  const { command, request, reply } = example;
  return [
    "Example:",
    block("sh", command),
    ...(request === undefined ? [] : ["`request.json`:", block("json", request)]),
    ...(reply === undefined ? [] : ["Reply:", block("json", reply)]),
  ];
}

const block = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\``;

function renderEvent(service: Service, exchange: Exchange): string[] {
  const { name, title, description, routingKey, message, scope } = exchange;
  const words = routingKey.map((word) => ({
    Word: code(word.name),
    "": word.constant === undefined ? (word.required ? "always known" : "may be `_`") : "constant",
    Meaning: word.summary,
  }));
  return [
    `### ${name}`,
    code(exchangeName(service, exchange)),
    `**${sentence(title)}** ${description}`,
    ...(scope === undefined ? [] : [`Listeners also need the scope ${code(scope)}.`]),
    `Message: ${linkTo(message)}. Routing key:`,
    table(words),
  ];
}

function renderSchema(service: Service, schema: Named, published: readonly Named[]): string[] {
  const rows = outline(schema, published);
  return [
    `### ${fileName(schema)}`,
    `Published as ${code(schemaPath(service, schema))}.`,
    ...(rows.length === 0 ? [] : [table(rows.map(schemaRow))]),
  ];
}

function schemaRow(row: OutlineRow): Record<string, string> {
  if ("form" in row) return { Member: `*${row.form}*`, Type: "", Required: "", Meaning: "" };
  const { path, type, link, required, notes, description } = row;
  return {
    Member: code(path),
    Type: link ? `${type}, ${linkTo(link)}` : type,
    Required: required ? "yes" : "",
    Meaning: description === "" ? notes.join("; ") : [description, ...limitsOf(notes)].join(" "),
  };
}

/** Formats the notes as a sentence to append to a description. */
const limitsOf = (notes: readonly string[]): string[] => {
  const text = notes.join("; ");
  return text === "" ? [] : [`${text.charAt(0).toUpperCase()}${text.slice(1)}.`];
};

const fileName = ({ file }: Named): string => file.replace(/^.*\//, "");

/** Markdown renderers derive the anchor of a heading from its letters, digits and dashes. */
const linkTo = (schema: Named): string => `[${fileName(schema)}](#${fileName(schema).replaceAll(".", "")})`;

function table(rows: readonly Readonly<Record<string, string>>[]): string {
  const heads = Object.keys(rows[0] ?? {});
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  // A pipe ends a cell, even within code.
  const cells = (row: Readonly<Record<string, string>>) =>
    heads.map((h) => (row[h] ?? "").replaceAll("|", "\\|"));
  return [line(heads), line(heads.map(() => "---")), ...rows.map((row) => line(cells(row)))].join("\n");
}

const sentence = (title: string): string => (/[.?!]$/.test(title) ? title : `${title}.`);

const code = (text: string): string => `\`${text}\``;

const paragraphs = (...parts: readonly string[]): string => `${parts.join("\n\n")}\n`;
