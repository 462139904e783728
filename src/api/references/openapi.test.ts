import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { describe, expect, it } from "vitest";
import { allOf, anyOf, forEach, ifThen } from "../../lib/scopes/template.ts";
import { publishedEndpoints } from "../service.ts";
import { services } from "../services.ts";
import { renderOpenApi } from "./openapi.ts";
import { scopesAsMarkdown } from "./scope-text.ts";

const all = Object.values(services);
const openApi = renderOpenApi({ services: all, rootUrl: "https://ci.example.com/", version: "1.2.3" });
const operations = Object.entries(openApi.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);
const operationOf = (path: string, method: string) => openApi.paths[`/api/queue/v1${path}`]?.[method];

describe("renderOpenApi", () => {
  it("has the title, version and URL of the server", () => {
    expect(openApi).toMatchObject({
      openapi: "3.1.0",
      info: { title: "Taskyard", version: "1.2.3" },
      servers: [{ url: "https://ci.example.com" }],
    });
  });

  it("has an operation with a unique id for each method", () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    const expected = all.flatMap((s) => publishedEndpoints(s).map(({ name }) => `${s.name}_${name}`));
    expect(ids.toSorted()).toEqual(expected.toSorted());
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("lists a path once, whatever its methods call its parameters", () => {
    const shapes = Object.keys(openApi.paths).map((path) => path.replaceAll(/\{\w+\}/g, "{}"));
    expect(new Set(shapes).size).toBe(shapes.length);
    expect(Object.keys(openApi.paths["/api/index/v1/task/{indexPath}"] ?? {}).toSorted()).toEqual([
      "delete",
      "get",
      "put",
    ]);
  });

  it("omits unpublished methods", () => {
    expect(Object.keys(openApi.paths["/api/index/v1/tasks/{namespace}"] ?? {})).toEqual(["get"]);
  });

  it("declares exactly the parameters that a path has", () => {
    for (const { path, operation } of operations) {
      const declared = operation.parameters.flatMap((p) =>
        "in" in p && p.in === "path" && "name" in p ? [p.name] : [],
      );
      expect([path, declared]).toEqual([path, [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)]);
    }
  });

  it("describes a method with body, scopes and errors", () => {
    expect(operationOf("/task/{taskId}", "put")).toMatchObject({
      operationId: "queue_createTask",
      tags: ["Queue: Tasks"],
      summary: "Create a task",
      description: expect.stringMatching(
        /\n\nRequired scopes:\n\n\* all of\n {2}\* `<scope>` for each `scope` of `scopes`/,
      ),
      parameters: [{ name: "taskId", in: "path", required: true, schema: { type: "string" } }],
      requestBody: {
        required: true,
        content: {
          "application/json": { schema: { $ref: "#/components/schemas/queue.v1.create-task-request" } },
        },
      },
      responses: {
        200: {
          content: {
            "application/json": { schema: { $ref: "#/components/schemas/queue.v1.task-status-response" } },
          },
        },
        default: { $ref: "#/components/responses/Error" },
      },
      security: [{ hawk: [] }, {}],
      "x-taskcluster-scopes": services.queue.endpoints.createTask.scopes,
    });
  });

  it("describes query and rest parameters, redirects, signed URLs and deprecation", () => {
    expect(operationOf("/task-group/{taskGroupId}/list", "get")?.parameters).toContainEqual({
      name: "limit",
      in: "query",
      required: false,
      schema: { type: "string", pattern: "^[0-9]+$" },
    });
    const artifact = operationOf("/task/{taskId}/artifacts/{name}", "get");
    expect(artifact?.parameters).toContainEqual(
      expect.objectContaining({ name: "name", description: "May contain slashes, percent-encoded or not." }),
    );
    expect(Object.keys(artifact?.responses ?? {})).toEqual(["303", "default"]);
    expect(artifact?.security).toEqual([{ hawk: [] }, { bewit: [] }, {}]);
    expect(operationOf("/task/{taskId}/runs/{runId}/claim", "post")).toMatchObject({ deprecated: true });
  });

  it("describes public methods, and replies without a schema", () => {
    const ping = operationOf("/ping", "get");
    expect(ping).toMatchObject({ security: [], responses: { 200: { content: { "*/*": {} } } } });
    expect(ping).not.toHaveProperty("x-taskcluster-scopes");
  });

  it("refers only to existing components, whose schemas compile in its dialect", () => {
    const refs = new Set(
      [...JSON.stringify(openApi).matchAll(/"\$ref":"#\/components\/(\w+)\/([^"]+)"/g)].map((m) => [
        m[1],
        m[2],
      ]),
    );
    expect(refs.size).toBeGreaterThan(20);
    const components: Readonly<Record<string, object>> = openApi.components;
    for (const [kind = "", name = ""] of refs) expect(components[kind]).toHaveProperty([name]);
    const ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    ajv.addSchema({ $id: "openapi", components: openApi.components });
    for (const name of Object.keys(openApi.components.schemas))
      expect(ajv.getSchema(`openapi#/components/schemas/${name}`)).toBeTypeOf("function");
  });
});

describe("scopesAsMarkdown", () => {
  it("renders a single scope as a list of one", () => {
    expect(scopesAsMarkdown("queue:status:<taskId>")).toBe("* `queue:status:<taskId>`");
  });

  it("nests combinations, loops and choices", () => {
    const template = allOf(
      "a:<b>",
      anyOf("c", forEach("x", "list", "d:<x>")),
      ifThen("flag", "e", allOf("f")),
      ifThen("other", "g"),
    );
    expect(scopesAsMarkdown(template)).toBe(
      [
        "* all of",
        "  * `a:<b>`",
        "  * one of",
        "    * `c`",
        "    * `d:<x>` for each `x` of `list`",
        "  * if `flag`",
        "    * `e`",
        "  * otherwise",
        "    * all of",
        "      * `f`",
        "  * if `other`",
        "    * `g`",
      ].join("\n"),
    );
  });
});
