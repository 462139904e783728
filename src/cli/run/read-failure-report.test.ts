import { expect, test } from "vitest";
import { connect } from "../../client/connect.ts";
import { json, scriptedServer, type Reply } from "../../../test/support/scripted-server.ts";
import { failureReportArtifact, readFailureReport } from "./read-failure-report.ts";

const taskId = "fN1SbArXTPSVFNUvaOlinQ";
const report = { commands: [{ exitCode: 3, signal: null }], messages: ["exit status 3"] };

/** Reads the report of run 1 from a server whose store sends these replies, the last one repeatedly. */
async function read(...replies: Reply[]) {
  let requests = 0;
  const server = await scriptedServer((response, request) => {
    const reply = replies[Math.min(requests++, replies.length - 1)];
    if (request.url === "/report") return reply?.(response, request);
    expect(request.url).toBe(
      `/api/queue/v1/task/${taskId}/runs/1/artifacts/${encodeURIComponent(failureReportArtifact)}`,
    );
    requests = 0;
    if (replies.length === 0) json({ code: "ResourceNotFound", message: "none" }, 404)(response, request);
    else json({ storageType: "s3", url: `${server.rootUrl}/report` }, 303)(response, request);
  });
  const found = await readFailureReport(connect({ rootUrl: server.rootUrl }), taskId, 1);
  return { found, requests };
}

test("a report is read", async () => {
  expect(await read(json(report))).toEqual({ found: report, requests: 1 });
});

test("a store that fails for a moment is tried again", async () => {
  const broken = json({}, 500);
  expect(await read(broken, broken, json(report))).toEqual({ found: report, requests: 3 });
});

test("returns no report if the worker wrote none or it cannot be read", async () => {
  expect((await read()).found).toBeUndefined();
  expect(await read(json({}, 500))).toEqual({ found: undefined, requests: 4 });
});

test.each([
  [[]],
  [{}],
  [{ ...report, messages: [3] }],
  [{ ...report, commands: [null] }],
  [{ ...report, commands: [{ exitCode: "3", signal: null }] }],
  [{ ...report, commands: [{ exitCode: 1.5, signal: null }] }],
  [{ ...report, commands: [{ exitCode: 3, signal: 9 }] }],
])("%j is not a report", async (content) => {
  expect((await read(json(content))).found).toBeUndefined();
});
