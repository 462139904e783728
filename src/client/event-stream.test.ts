import { expect, test } from "vitest";
import { immediateClock } from "../../test/support/immediate-clock.ts";
import { eventStream, json, scriptedServer, type Reply } from "../../test/support/scripted-server.ts";
import { queueEvents } from "./bindings.ts";
import { connect } from "./connect.ts";

const bindings = [queueEvents.taskPending({ taskId: "T" })] as const;

const message = (n: number): string =>
  `p${n} message ${JSON.stringify({ exchange: "x", routingKey: `key ${n}`, routes: [], payload: { n }, redelivered: false })}`;

const ending =
  (answer: Reply): Reply =>
  (response, request) => {
    answer(response, request);
    response.end();
  };

const limit = 3_600_000;

async function take(events: AsyncIterable<{ routingKey: string; position: string }>, count: number) {
  const taken: string[] = [];
  for await (const { routingKey, position } of events) {
    taken.push(`${position}: ${routingKey}`);
    if (taken.length === count) break;
  }
  return taken;
}

test("a subscription requests the bindings, and is active when the server is ready", async () => {
  const server = await scriptedServer(eventStream("p0 ready", message(1), "p1 ping", message(2)));
  const client = connect({ rootUrl: server.rootUrl, credentials: { clientId: "me", accessToken: "t" } });
  const events = await client.events.listen(bindings, { from: "p-1" });
  const [request] = server.requests;
  expect(decodeURIComponent(request?.url ?? "")).toBe(
    `/api/events/v1/connect?bindings=${JSON.stringify({ bindings })}&from=p-1`,
  );
  expect(request?.headers).toMatchObject({ accept: "text/event-stream" });
  expect(request?.headers.authorization).toMatch(/^Hawk id="me"/);
  expect(await take(events, 2)).toEqual(["p1: key 1", "p2: key 2"]);
});

test("an interrupted stream continues after the last frame, which may be a ping", async () => {
  const server = await scriptedServer(
    ending(eventStream("p0 ready", message(1), "p7 ping")),
    json({}, 502),
    eventStream("p7 ready", message(8)),
  );
  const clock = immediateClock(30_000);
  const client = connect({ rootUrl: server.rootUrl, clock });
  expect(await take(await client.events.listen(bindings), 2)).toEqual(["p1: key 1", "p8: key 8"]);
  expect(server.requests.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, "p7", "p7"]);
  expect(clock.waits).toHaveLength(2);
});

test("events may arrive in several chunks", async () => {
  const server = await scriptedServer((response, request) => {
    eventStream("p0 ready")(response, request);
    const bytes = Buffer.from(`age\ndata: {"routingKey":"ü"}\n\n`);
    const half = bytes.indexOf(0xc3) + 1;
    response.write("id: p1\nevent: mess");
    response.write(bytes.subarray(0, half));
    setImmediate(() => response.write(bytes.subarray(half)));
  });
  const events = await connect({ rootUrl: server.rootUrl }).events.listen(bindings);
  expect(await take(events, 1)).toEqual(["p1: ü"]);
});

test("without reconnecting, the stream ends with its first connection", async () => {
  const server = await scriptedServer(ending(eventStream("p0 ready", message(1))), json({}, 502));
  const client = connect({ rootUrl: server.rootUrl });
  const events = await client.events.listen(bindings, { reconnect: false });
  expect(await take(events, 2)).toEqual(["p1: key 1"]);
  await expect(client.events.listen(bindings, { reconnect: false })).rejects.toMatchObject({
    statusCode: 502,
  });
  expect(server.requests).toHaveLength(2);
});

test("leaving the loop closes the connection", async () => {
  const server = await scriptedServer(eventStream("p0 ready", message(1)));
  await take(await connect({ rootUrl: server.rootUrl }).events.listen(bindings), 1);
  expect(server.requests).toHaveLength(1);
  await server.requests[0]?.closed;
});

test("the signal ends the loop without an error, also during a reconnection delay", async () => {
  const server = await scriptedServer(eventStream("p0 ready"));
  const stop = new AbortController();
  const events = await connect({ rootUrl: server.rootUrl }).events.listen(bindings, { signal: stop.signal });
  const rest = take(events, 1);
  stop.abort();
  expect(await rest).toEqual([]);

  const broken = await scriptedServer(ending(eventStream("p0 ready")));
  const later = new AbortController();
  const clock = {
    now: () => Date.now(),
    after: (ms: number) => (ms < limit && later.abort(), () => undefined),
  };
  const client = connect({ rootUrl: broken.rootUrl, clock, timeoutMs: limit });
  const waiting = take(await client.events.listen(bindings, { signal: later.signal }), 1);
  expect(await waiting).toEqual([]);
});

test("a refusal rejects immediately, without a retry", async () => {
  const body = { code: "InputError", message: "no such exchange\n\n---\n* method" };
  const server = await scriptedServer(json(body, 400));
  const listening = connect({ rootUrl: server.rootUrl }).events.listen(bindings);
  await expect(listening).rejects.toMatchObject({
    message: "no such exchange",
    code: "InputError",
    statusCode: 400,
    method: "events.connect",
  });
  expect(server.requests).toHaveLength(1);
});

test("retries are limited for a server that was never reached, and unlimited for one that was", async () => {
  const { rootUrl, close } = await scriptedServer(json({}));
  await close();
  const clock = immediateClock(limit);
  const client = connect({ rootUrl, clock, timeoutMs: limit, retries: 2 });
  await expect(client.events.listen(bindings)).rejects.toThrow("ECONNREFUSED");
  expect(clock.waits).toHaveLength(2);

  const answers = Array.from({ length: 5 }, () => json({}, 500));
  const server = await scriptedServer(
    ending(eventStream("p0 ready")),
    ...answers,
    eventStream("p0 ready", message(1)),
  );
  const patient = connect({ rootUrl: server.rootUrl, clock: immediateClock(30_000), retries: 2 });
  expect(await take(await patient.events.listen(bindings), 1)).toEqual(["p1: key 1"]);
});

test("an inactive connection is replaced", async () => {
  const server = await scriptedServer(eventStream("p0 ready"), eventStream("p0 ready", message(1)));
  // Delays end immediately, and so does one long timeout after the first stream has opened.
  let impatient = false;
  const clock = {
    now: () => Date.now(),
    after(ms: number, callback: () => void) {
      if (ms >= 60_000 && !impatient) return () => undefined;
      if (ms >= 60_000) impatient = false;
      const immediate = setImmediate(callback);
      return () => clearImmediate(immediate);
    },
  };
  const client = connect({ rootUrl: server.rootUrl, clock, timeoutMs: limit });
  const events = await client.events.listen(bindings);
  impatient = true;
  expect(await take(events, 1)).toEqual(["p1: key 1"]);
  expect(server.requests).toHaveLength(2);
});

test("an error frame ends the stream", async () => {
  const body = JSON.stringify({ code: "ResourceExpired", message: "it was too slow" });
  const server = await scriptedServer(eventStream("p0 ready", `p0 error ${body}`));
  const events = await connect({ rootUrl: server.rootUrl }).events.listen(bindings);
  await expect(take(events, 1)).rejects.toMatchObject({
    message: "it was too slow",
    code: "ResourceExpired",
  });
});

test("missing events are an error, when the stream starts and when it is resumed", async () => {
  const incomplete = `p5 ready ${JSON.stringify({ position: "p5", complete: false, notice: "some are gone" })}`;
  const first = await scriptedServer(eventStream(incomplete));
  const listening = connect({ rootUrl: first.rootUrl }).events.listen(bindings, {
    from: "2020-01-01T00:00:00Z",
  });
  await expect(listening).rejects.toMatchObject({ message: "some are gone", code: "EventsMissing" });

  const later = await scriptedServer(ending(eventStream("p0 ready", message(1))), eventStream(incomplete));
  const client = connect({ rootUrl: later.rootUrl, clock: immediateClock(30_000) });
  const events = await client.events.listen(bindings);
  expect((await events.next()).value).toMatchObject({ position: "p1" });
  await expect(events.next()).rejects.toMatchObject({ code: "EventsMissing" });
});

test("the reconnection delay that the server requests is respected", async () => {
  const withDelay: Reply = (response, request) => {
    eventStream("p0 ready")(response, request);
    response.end("retry: 2500\n\n");
  };
  const server = await scriptedServer(withDelay, eventStream("p0 ready", message(1)));
  const clock = immediateClock(30_000);
  const client = connect({ rootUrl: server.rootUrl, clock });
  await take(await client.events.listen(bindings), 1);
  expect(clock.waits).toEqual([2500]);
});
