import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { testStack, type Stack } from "../../../../test/support/stack.ts";
import { until } from "../../../../test/support/until.ts";
import { sql } from "../../core/sql.ts";
import { appendEvents, type NewEvent } from "../../core/event-log/index.ts";

let stack: Stack;
beforeAll(async () => {
  // Events appended by a test do not wake the server, so polling has to find them.
  stack = await testStack({ config: { events: { pingInterval: 50, pollInterval: 20 } } });
});
afterAll(() => stack.stop());

const exchange = "exchange/test/v1/x";
const everything = [{ exchange, routingKeyPattern: "#" }];

async function append(...events: (Partial<NewEvent> & { payload: string })[]): Promise<void> {
  await appendEvents(
    stack.database.db,
    events.map((event) => ({ exchange, routingKey: "primary.a", ...event })),
  );
}

interface Frame {
  readonly event: string;
  readonly id: string;
  readonly data: Record<string, unknown>;
}

interface Stream {
  readonly response: IncomingMessage;
  /** Resolves with the next frame that is not a ping. */
  next(): Promise<Frame>;
  nextPing(): Promise<Frame>;
  /** Resolves with the next `count` payloads, as JSON. */
  payloads(count: number): Promise<string[]>;
  close(): void;
}

const pathOf = (query: Record<string, unknown>): string => {
  const pairs = Object.entries(query).map(
    ([key, value]) =>
      `${key}=${encodeURIComponent(typeof value === "string" ? value : JSON.stringify(value))}`,
  );
  return `/api/events/v1/connect?${pairs.join("&")}`;
};

async function get(
  query: Record<string, unknown>,
  options: { headers?: Record<string, string>; method?: string; on?: Stack } = {},
): Promise<IncomingMessage> {
  const { headers = {}, method = "GET", on = stack } = options;
  const sent = request(on.rootUrl + pathOf(query), { headers, method, agent: false });
  sent.on("error", () => undefined);
  sent.end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  onTestFinished(() => void response.destroy());
  return response;
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += String(chunk);
  return text;
}

/** Returns status, code and message of a refused connection, without the technical lines. */
async function refusalOf(query: Record<string, unknown>, headers = {}): Promise<[number, string, string]> {
  const response = await get(query, { headers });
  const { code, message } = JSON.parse(await bodyOf(response)) as { code: string; message: string };
  return [response.statusCode ?? 0, code, message.split("\n\n---\n")[0] ?? ""];
}

/** Connects, and reads the frame `ready`. */
async function listen(
  query: Record<string, unknown> = {},
  options: { headers?: Record<string, string>; on?: Stack } = {},
): Promise<Stream & { ready: Frame }> {
  const response = await get({ bindings: { bindings: everything }, ...query }, options);
  expect(response.statusCode).toBe(200);
  const frames: Frame[] = [];
  let deliver = (): void => undefined;
  const parser = createParser({
    onEvent({ event = "", id = "", data }: EventSourceMessage) {
      frames.push({ event, id, data: JSON.parse(data) as Record<string, unknown> });
      deliver();
    },
  });
  response.setEncoding("utf8").on("data", (chunk: string) => parser.feed(chunk));
  const take = (matches: (frame: Frame) => boolean): Promise<Frame> =>
    new Promise((resolve) => {
      deliver = () => {
        let frame = frames.shift();
        while (frame && !matches(frame)) frame = frames.shift();
        if (!frame) return;
        deliver = () => undefined;
        resolve(frame);
      };
      deliver();
    });
  const next = (): Promise<Frame> => take(({ event }) => event !== "ping");
  return {
    response,
    next,
    nextPing: () => take(({ event }) => event === "ping"),
    async payloads(count) {
      const payloads: string[] = [];
      while (payloads.length < count) payloads.push(JSON.stringify((await next()).data["payload"]));
      return payloads;
    },
    close: () => void response.destroy(),
    ready: await next(),
  };
}

/** Returns the value of a metric of the server. */
async function metric(name: string): Promise<number> {
  const lines = (await (await fetch(`${stack.rootUrl}/metrics`)).text()).split("\n");
  return Number(lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? 0);
}

describe("a stream", () => {
  test("sends a ready frame, then the matching events", async () => {
    const stream = await listen({
      bindings: {
        bindings: [
          { exchange, routingKeyPattern: "primary.*.b" },
          { exchange, routingKeyPattern: "route.index.#" },
        ],
      },
    });
    expect(stream.ready).toMatchObject({
      event: "ready",
      data: { complete: true, position: stream.ready.id },
    });
    expect(stream.response.headers).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "access-control-allow-origin": "*",
      "cache-control": expect.stringContaining("no-store"),
    });
    await append(
      { payload: "1" },
      { payload: '{"n":2}', routingKey: "primary.x.b" },
      { payload: "3", exchange: "exchange/test/v1/other", routingKey: "primary.x.b" },
      { payload: '{\n  "n": 4\r\n}', routes: ["index.gecko.v2", "b"] },
    );
    expect([await stream.next(), await stream.next()]).toMatchObject([
      {
        event: "message",
        data: { exchange, routingKey: "primary.x.b", routes: [], payload: { n: 2 }, redelivered: false },
      },
      {
        event: "message",
        data: { routingKey: "primary.a", routes: ["index.gecko.v2", "b"], payload: { n: 4 } },
      },
    ]);
  });

  test("sends an event that several bindings match once", async () => {
    const stream = await listen({
      bindings: { bindings: [...everything, ...everything, { exchange, routingKeyPattern: "route.#" }] },
    });
    await append({ payload: "1", routes: ["a", "b"] }, { payload: "2" });
    expect(await stream.payloads(2)).toEqual(["1", "2"]);
  });

  test("continues after the last event id, from the header or the query, which take precedence over `from`", async () => {
    const first = await listen();
    await append({ payload: "1" }, { payload: "2" }, { payload: "3" });
    const { id } = await first.next();
    first.close();
    const byHeader = await listen({ from: "start" }, { headers: { "Last-Event-ID": id } });
    expect(await byHeader.payloads(2)).toEqual(["2", "3"]);
    const byQuery = await listen({ lastEventId: id });
    expect(await byQuery.payloads(2)).toEqual(["2", "3"]);
    const byPosition = await listen({ from: id });
    expect(await byPosition.payloads(2)).toEqual(["2", "3"]);
  });

  test("starts at a given time", async () => {
    await append({ payload: '"before"' });
    const since = new Date(Date.now() + 5).toISOString();
    while (new Date().toISOString() <= since) await new Promise(setImmediate);
    await append({ payload: '"after"' });
    const stream = await listen({ from: since });
    expect(stream.ready.data).toMatchObject({ complete: true });
    expect(await stream.payloads(1)).toEqual(['"after"']);
  });

  test("pings while there are no events, with its current position", async () => {
    const quiet = await listen({ bindings: { bindings: [{ exchange, routingKeyPattern: "rare" }] } });
    const busy = await listen();
    await append({ payload: "1" });
    await busy.next();
    const passed = await busy.nextPing();
    let ping = await quiet.nextPing();
    for (let i = 0; i < 100 && ping.id !== passed.id; i++) ping = await quiet.nextPing();
    expect(ping.data).toEqual({ time: expect.stringMatching(/^\d{4}-.*Z$/) });
    const resumed = await listen({ lastEventId: ping.id });
    await append({ payload: "2" });
    expect(await resumed.payloads(1)).toEqual(["2"]);
  });

  test("that is not read leaves its events in the database, and loses none", async () => {
    const stream = await listen();
    stream.response.pause();
    const payload = (n: number): string => JSON.stringify({ n, filler: "x".repeat(1000) });
    const before = await metric('event_log_read_total{reader="stream"}');
    for (let i = 0; i < 20_000; i += 500)
      await append(...Array.from({ length: 500 }, (_, j) => ({ payload: payload(i + j) })));
    // Of 20 MB, the socket buffers hold up to 10; the stream reads no more than they accept.
    expect((await metric('event_log_read_total{reader="stream"}')) - before).toBeLessThan(15_000);
    stream.response.resume();
    expect(await stream.payloads(20_000)).toEqual(Array.from({ length: 20_000 }, (_, n) => payload(n)));
  });

  test("is sent immediately and uncompressed to listeners that accept gzip", async () => {
    // A compressor would hold back a small event until others follow.
    const stream = await listen({}, { headers: { "accept-encoding": "gzip" } });
    expect(stream.response.headers).not.toHaveProperty("content-encoding");
    for (const payload of ["1", JSON.stringify("x".repeat(5_000)), "2"]) {
      await append({ payload });
      expect(await stream.payloads(1)).toEqual([payload]);
    }
  });

  test("is closed when the listener disconnects", async () => {
    const streams = (): Promise<number> => metric("event_log_streams");
    const [one, two] = [await listen(), await listen()];
    expect(await streams()).toBeGreaterThanOrEqual(2);
    one.close();
    two.close();
    let open = await streams();
    for (let i = 0; i < 500 && open > 0; i++) open = await streams();
    expect(open).toBe(0);
  });

  test("returns only headers for HEAD", async () => {
    const response = await get({ bindings: { bindings: everything } }, { method: "HEAD" });
    expect(response.headers["content-type"]).toBe("text/event-stream; charset=utf-8");
    expect(await bodyOf(response)).toBe("");
  });
});

test.each([
  [{ maxStreamsPerCaller: 1 }, 429, "You already have 1 open event stream, which is the maximum."],
  [{ maxStreams: 1 }, 503, "This server already has 1 open event stream."],
])("the number of streams is limited: %j", async (events, status, message) => {
  const limited = await testStack({
    database: stack.database,
    roles: ["api"],
    config: { events },
  });
  onTestFinished(() => limited.stop());
  const first = await listen({}, { on: limited });
  const refused = await get({ bindings: { bindings: everything } }, { on: limited });
  expect([refused.statusCode, refused.headers["retry-after"]]).toEqual([status, "30"]);
  expect(await bodyOf(refused)).toContain(message);
  first.close();
  const next = () => get({ bindings: { bindings: everything } }, { on: limited });
  await until("the end of the stream to be seen", async () => (await next()).statusCode === 200);
});

describe("a listener whose position cannot be continued", () => {
  test("receives the oldest event and a notice if it resumes a stream, otherwise an error", async () => {
    const stream = await listen();
    await append({ payload: "1" });
    const { id } = await stream.next();
    await append({ payload: '"dropped"' }, { payload: '"kept"' });
    const { db } = stack.database;
    // As when retention drops a partition.
    await db.run(sql`delete from events where payload = '"dropped"'`);
    await db.run(
      sql`update event_log set dropped_through = (select max(id) - 1 from events), dropped_before = now()`,
    );

    const resumed = await listen({}, { headers: { "last-event-id": id } });
    expect(resumed.ready.data).toMatchObject({
      complete: false,
      notice: expect.stringContaining(
        "Some events after the last event id are no longer kept: this stream begins with the oldest one",
      ),
    });
    expect(await resumed.payloads(1)).toEqual(['"kept"']);
    expect(await refusalOf({ bindings: { bindings: everything }, from: id })).toEqual([
      410,
      "ResourceExpired",
      "The events after the position are no longer kept. Begin without a position, or with a time within the retention.",
    ]);
    const fromTime = await listen({ from: "2020-01-01T00:00:00Z" });
    expect(fromTime.ready.data).toMatchObject({
      complete: false,
      notice: expect.stringContaining("since that time"),
    });
    expect(await fromTime.payloads(1)).toEqual(['"kept"']);

    await db.run(sql`update event_log set tag = tag + 1`);
    const elsewhere = await listen({ lastEventId: stream.ready.id });
    expect(elsewhere.ready.data).toMatchObject({ notice: expect.stringContaining("another installation") });
    await db.run(sql`update event_log set tag = tag - 1`);
  });
});

describe("invalid input", () => {
  const bindings = (value: unknown): Promise<[number, string, string]> => refusalOf({ bindings: value });
  const one = (binding: unknown): Promise<[number, string, string]> => bindings({ bindings: [binding] });

  test("is refused with the fault of the bindings", async () => {
    const queue = "exchange/taskcluster-queue/v1/";
    const cases: [Promise<[number, string, string]>, string | RegExp][] = [
      [refusalOf({}), /^bindings is missing\. It selects the events, for example \{"bindings":\[/],
      [bindings("{bindings"), /^bindings is not JSON: .* It should look like/],
      [bindings([]), /^bindings must be an object with bindings\./],
      [bindings({ binding: [] }), "bindings.binding is not known: did you mean bindings?"],
      [bindings({ bindings: {} }), "bindings.bindings must be an array"],
      [bindings({ bindings: [] }), "bindings.bindings must have 1 to 100 elements, not 0"],
      [bindings({ bindings: Array(101).fill(1) }), "bindings.bindings must have 1 to 100 elements, not 101"],
      [one({ exchange }), "bindings.bindings[0].routingKeyPattern is missing"],
      [one({ exchange: 1, routingKeyPattern: "#" }), "bindings.bindings[0].exchange must be a string"],
      [
        one({ exchange: "", routingKeyPattern: "#" }),
        "bindings.bindings[0].exchange must have 1 to 255 bytes, not 0",
      ],
      [
        one({ exchange, routingKeyPattern: "ü".repeat(200) }),
        "bindings.bindings[0].routingKeyPattern must have 0 to 255 bytes, not 400",
      ],
      [
        one({ exchange: `${queue}task-complete`, routingKeyPattern: "#" }),
        `bindings.bindings[0].exchange is not an exchange of this server: did you mean ${queue}task-completed?`,
      ],
    ];
    for (const [reply, message] of cases)
      expect(await reply).toEqual([
        400,
        "InputError",
        typeof message === "string" ? message : expect.stringMatching(message),
      ]);
  });

  test("is refused with the fault of the position", async () => {
    const from = (text: string): Promise<[number, string, string]> =>
      refusalOf({ bindings: { bindings: everything }, from: text });
    expect(await from("yesterday")).toEqual([
      400,
      "InputError",
      'from="yesterday" is neither a position (the id of an event), nor a time such as 2026-01-31T12:00:00Z, nor "start".',
    ]);
    expect(await from("2026-13-41T12:00:00Z")).toEqual([
      400,
      "InputError",
      expect.stringContaining("is not a valid time: send one such as"),
    ]);
    expect(await from("1.AAAA.AAAAAA")).toEqual([
      400,
      "InputError",
      expect.stringContaining("was changed or truncated"),
    ]);
    expect(await refusalOf({ bindings: { bindings: everything } }, { "last-event-id": "42" })).toEqual([
      400,
      "InputError",
      expect.stringContaining('The position "42" is malformed'),
    ]);
  });
});

test("a private instance requires the scope", async () => {
  const closed = await testStack({ config: { access: "closed" } });
  onTestFinished(() => closed.stop());
  const anonymous = await get({ bindings: { bindings: everything } }, { on: closed });
  expect([anonymous.statusCode, await bodyOf(anonymous)]).toEqual([
    403,
    expect.stringContaining("events:listen"),
  ]);
  const url = await closed.client.buildSignedUrl(
    closed.rootUrl + pathOf({ bindings: { bindings: everything } }),
  );
  const response = await fetch(url);
  expect(response.status).toBe(200);
  await response.body?.cancel();
});

test("streams end when the server stops, and can be continued on another one", async () => {
  const { database } = stack;
  const first = await testStack({ database });
  const stream = await listen({}, { on: first });
  await append({ payload: "1" });
  const { id } = await stream.next();
  const end = once(stream.response, "end");
  const start = Date.now();
  expect(await first.server.stop()).toEqual([]);
  expect(Date.now() - start).toBeLessThan(5_000);
  await end;
  await append({ payload: "2" });
  const resumed = await listen({}, { headers: { "last-event-id": id } });
  expect(await resumed.payloads(1)).toEqual(["2"]);
});
