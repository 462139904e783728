import { describe, expect, it } from "vitest";
import { services } from "../services.ts";
import { renderApiDocs } from "./markdown.ts";

const all = Object.values(services);
const pages = new Map(renderApiDocs(all).map(({ file, text }) => [file, text]));
const queue = pages.get("queue.md") ?? "";

/** The text from a heading to the next one. */
const section = (text: string, heading: string): string | undefined =>
  text.split(/^(?=#+ )/m).find((part) => part.startsWith(`${heading}\n`));

describe("renderApiDocs", () => {
  it("has an index with a link to the page of each service", () => {
    expect([...pages.keys()]).toEqual(["README.md", ...all.map(({ name }) => `${name}.md`)]);
    expect(pages.get("README.md")).toContain("* [Queue](queue.md): Accepts tasks");
  });

  it("shows route, stability, query, schemas and scopes of a method", () => {
    expect(section(queue, "### listTaskGroup")?.split("\n```json")[0]).toBe(
      `### listTaskGroup

\`GET /task-group/<taskGroupId>/list\` · stable

**List the tasks of a group.** Returns the definition and status of each task of the group, ordered by task id, in pages.

* Query: \`continuationToken\`, \`limit\`
* Reply: [list-task-group-response.json](#list-task-group-responsejson)

Scopes:

* \`queue:list-task-group:<taskGroupId>\`

Example:

\`\`\`sh
taskyard call queue.listTaskGroup taskGroupId=VZZ6zfW9RDiy2O1BSpEA7Q
\`\`\`

Reply:
`,
    );
  });

  it("marks public methods, and ends titles with a period", () => {
    expect(section(queue, "### ping")).toContain("**Ping.** Returns");
    expect(section(queue, "### ping")).toContain("Public: requires no scopes.");
  });

  it("shows exchange, routing key and message of an event", () => {
    const event = section(queue, "### taskGroupResolved");
    expect(event).toContain("`exchange/taskcluster-queue/v1/task-group-resolved`");
    expect(event).toContain("Message: [task-group-changed-message.json](#task-group-changed-messagejson)");
    expect(event).toContain("| `taskGroupId` | always known | The task group. |");
  });

  it("has a table for each schema, with escaped pipes in patterns and a heading for each form", () => {
    expect(section(queue, "### task-metadata.json")).toContain(
      "| `source` | string | yes | at most 4096 characters; matches `^(https?://\\|ssh://\\|git@)` |",
    );
    expect(section(queue, "### post-artifact-request.json")).toContain(
      "| *where `storageType` is `link`* |  |  |  |",
    );
    expect(section(queue, "### task-status-response.json")).toContain(
      "| `status` | object, [task-status.json](#task-statusjson) | yes |  |",
    );
  });

  it("appends limits to a description as a sentence", () => {
    expect(section(queue, "### create-tasks-response.json")).toContain(
      "| `created` | integer | yes | The number of new tasks. At least 0. |",
    );
  });

  it("has no broken links", () => {
    const anchors = new Set([...queue.matchAll(/^### (.+)$/gm)].map(([, h = ""]) => h.replaceAll(".", "")));
    const links = [...queue.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor);
    expect(links.length).toBeGreaterThan(50);
    for (const link of links) expect(anchors).toContain(link);
  });
});
