import { describe, expect, it } from "vitest";
import { services } from "../services.ts";
import { renderApiDocs } from "./markdown.ts";

const all = Object.values(services);
const pages = new Map(renderApiDocs(all).map(({ file, text }) => [file, text]));
const queue = pages.get("queue.md") ?? "";

/** What stands from a heading to the next one. */
const section = (text: string, heading: string): string | undefined =>
  text.split(/^(?=#+ )/m).find((part) => part.startsWith(`${heading}\n`));

describe("renderApiDocs", () => {
  it("has an index that leads to a page for each service", () => {
    expect([...pages.keys()]).toEqual(["README.md", ...all.map(({ name }) => `${name}.md`)]);
    expect(pages.get("README.md")).toContain("* [Queue](queue.md): Accepts tasks");
  });

  it("tells of a method its route, stability, query, schemas and scopes", () => {
    expect(section(queue, "### listTaskGroup")).toBe(
      `### listTaskGroup

\`GET /task-group/<taskGroupId>/list\` · stable

**List the tasks of a group.** Definition and status of each task, in order of task ids, a page at a time.

* Query: \`continuationToken\`, \`limit\`
* Reply: [list-task-group-response.json](#list-task-group-responsejson)

Scopes:

* \`queue:list-task-group:<taskGroupId>\`

`,
    );
  });

  it("says that a method is public, and ends titles as sentences", () => {
    expect(section(queue, "### ping")).toContain("**Is it alive?** Answers");
    expect(section(queue, "### ping")).toContain("Public: needs no scopes.");
  });

  it("tells of an event its exchange, routing key and message", () => {
    const event = section(queue, "### taskGroupResolved");
    expect(event).toContain("`exchange/taskcluster-queue/v1/task-group-resolved`");
    expect(event).toContain("Message: [task-group-changed-message.json](#task-group-changed-messagejson)");
    expect(event).toContain("| `taskGroupId` | always known | The task group. |");
  });

  it("has a table for each schema, pipes in patterns escaped, forms headed", () => {
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

  it("has no link that leads nowhere", () => {
    const anchors = new Set([...queue.matchAll(/^### (.+)$/gm)].map(([, h = ""]) => h.replaceAll(".", "")));
    const links = [...queue.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor);
    expect(links.length).toBeGreaterThan(50);
    for (const link of links) expect(anchors).toContain(link);
  });
});
