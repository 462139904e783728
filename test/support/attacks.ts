// What callers that mean harm do to a server, and how it fares meanwhile.
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { createSigner, type Credentials } from "../../src/client/signer.ts";
import { slugid } from "../../src/lib/slugid.ts";

export interface Target {
  readonly rootUrl: string;
  readonly pid: number;
  readonly credentials: Credentials;
  /** A group whose list fills several pages. */
  readonly taskGroupId: string;
}

/** Opens a connection that is closed when the attack ends. Its errors are expected. */
type Open = () => Socket;
/** Records the beginning of a reply. */
type Observe = (reply: Buffer) => void;

interface Attack {
  readonly name: string;
  /** The status of its replies, if it reads them. */
  readonly status?: number;
  /** Starts it, and keeps it up by callbacks of the sockets. */
  start(target: Target, open: Open, record: Observe): Promise<void>;
}

const head = (method: string, path: string, headers: Readonly<Record<string, string | number>>): string => {
  const all = { host: "localhost", "content-type": "application/json", ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
};

/** Sends a request on each of `count` connections, again whenever there is a reply. */
function flood(
  open: Open,
  record: Observe,
  count: number,
  requestOf: () => Promise<string | Buffer> | string | Buffer,
): void {
  const again = async (socket: Socket): Promise<void> => {
    const text = await requestOf();
    if (!socket.destroyed) socket.write(text);
  };
  // A connection on which a body was refused is not usable again.
  const one = (): void => {
    const socket = open();
    let isAnswered = false;
    socket.on("data", (reply: Buffer) => {
      record(reply);
      isAnswered = true;
      void again(socket);
    });
    socket.once("close", () => void (isAnswered && one()));
    void again(socket);
  };
  for (let i = 0; i < count; i++) one();
}

const put = (body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Buffer =>
  Buffer.concat([
    Buffer.from(head("PUT", `/api/queue/v1/task/${slugid()}`, { "content-length": body.length, ...headers })),
    Buffer.from(body),
  ]);

/** Returns a signer of requests with valid credentials whose scopes permit nothing of use. */
function signed({ rootUrl, credentials }: Target, scopes: readonly string[] = ["queue:useless"]) {
  const signer = createSigner(credentials, scopes);
  // The connections send this host.
  const { port } = new URL(rootUrl);
  return async (method: string, path: string): Promise<Record<string, string>> => ({
    authorization: await signer.header(method, `http://localhost:${port}${path}`, Date.now()),
    host: `localhost:${port}`,
  });
}

const lists = (length: number): string => `{"payload":{"a":[${"[],".repeat(length / 3 - 10)}[]]}}`;
const objects = (length: number): string => `{"payload":{"a":[${"{},".repeat(length / 3 - 10)}{}]}}`;
const bomb = gzipSync(lists(9_000_000));

/** Sends a list of the group on `count` connections. */
async function listGroup(target: Target, open: Open, count: number, record?: Observe): Promise<void> {
  const path = `/api/queue/v1/task-group/${target.taskGroupId}/list`;
  const sign = signed(target, ["queue:list-task-group:*"]);
  for (let i = 0; i < count; i++) {
    const socket = open();
    const text = head("GET", path, await sign("GET", path));
    if (record) socket.on("data", record);
    socket.write(text.repeat(4));
  }
}

export const attacks: readonly Attack[] = [
  {
    name: "gzip bombs of strangers",
    status: 403,
    start: async (_target, open, record) =>
      flood(open, record, 8, () => put(bomb, { "content-encoding": "gzip" })),
  },
  {
    name: "gzip bombs with credentials of a useless scope",
    status: 413,
    async start(target, open, record) {
      const sign = signed(target);
      flood(open, record, 8, async () => {
        const path = `/api/queue/v1/task/${slugid()}`;
        const headers = {
          ...(await sign("PUT", path)),
          "content-encoding": "gzip",
          "content-length": bomb.length,
        };
        return Buffer.concat([Buffer.from(head("PUT", path, headers)), bomb]);
      });
    },
  },
  {
    name: "lists and objects of strangers, 64 KiB",
    status: 413,
    async start(_target, open, record) {
      flood(open, record, 8, () => put(lists(65_000)));
      flood(open, record, 8, () => put(objects(65_000)));
    },
  },
  {
    name: "lists with credentials of a useless scope, 1 MB",
    status: 413,
    async start(target, open, record) {
      const sign = signed(target);
      const body = lists(1_000_000);
      flood(open, record, 8, async () => {
        const path = `/api/queue/v1/task/${slugid()}`;
        const headers = { ...(await sign("PUT", path)), "content-length": body.length };
        return head("PUT", path, headers) + body;
      });
    },
  },
  { name: "large lists that nobody reads", start: (target, open) => listGroup(target, open, 60) },
  {
    name: "large lists, read",
    // Most of so many calls of one caller.
    status: 429,
    start: (target, open, record) => listGroup(target, open, 30, record),
  },
  {
    name: "many requests at a time on each connection",
    async start(_target, open) {
      for (let i = 0; i < 60; i++) open().write(head("GET", "/references/queue/v1/api.json", {}).repeat(300));
    },
  },
  {
    name: "bodies that trickle",
    async start(_target, open) {
      for (let i = 0; i < 200; i++) {
        const socket = open();
        socket.write(head("PUT", `/api/queue/v1/task/${slugid()}`, { "content-length": 60_000 }));
        const drip = setInterval(() => void socket.write(" "), 50);
        socket.once("close", () => clearInterval(drip));
      }
    },
  },
  {
    name: "headers that never end",
    async start(_target, open) {
      for (let i = 0; i < 200; i++) {
        const socket = open();
        socket.write(`GET / HTTP/1.1\r\nhost: localhost\r\nx: ${"x".repeat(15_000)}`);
      }
    },
  },
  {
    name: "1,200 connections of one address",
    async start(_target, open) {
      for (let i = 0; i < 1_200; i++) open();
    },
  },
  {
    name: "event streams that nobody reads",
    async start(target, open) {
      const bindings = encodeURIComponent(
        JSON.stringify({
          bindings: [{ exchange: "exchange/taskcluster-queue/v1/task-pending", routingKeyPattern: "#" }],
        }),
      );
      const path = `/api/events/v1/connect?bindings=${bindings}&from=start`;
      const sign = signed(target, ["*"]);
      for (let i = 0; i < 150; i++) open().write(head("GET", path, await sign("GET", path)));
    },
  },
];

export interface Outcome {
  /** Times of the pings, ascending, in milliseconds. */
  readonly pings: readonly number[];
  /** The greatest resident memory of the process, in bytes. */
  readonly peakBytes: number;
  /** The statuses of the replies to the attack. */
  readonly statuses: ReadonlySet<number>;
}

/** A machine with other users may take longer than an attack lasts until the first reply. */
const replyLimitMs = 20_000;

/**
 * Runs an attack for `ms`, and until a reply has the status that it causes, and pings the server meanwhile. Rejects if a ping
 * is not answered.
 */
export async function underAttack(attack: Attack, target: Target, ms: number): Promise<Outcome> {
  const port = Number(new URL(target.rootUrl).port);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const sockets = new Set<Socket>();
  let isOver = false;
  const open: Open = () => {
    const socket = connect(port, "localhost");
    if (isOver) socket.destroy();
    socket.on("error", () => undefined);
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    return socket;
  };
  const pings: number[] = [];
  const statuses = new Set<number>();
  let peakBytes = 0;
  try {
    await ping(port, agent);
    await attack.start(target, open, (reply) => {
      const status = /^HTTP\/1\.1 (\d+)/.exec(reply.toString("latin1", 0, 20))?.[1];
      if (status !== undefined) statuses.add(Number(status));
    });
    const isMissing = (): boolean => attack.status !== undefined && !statuses.has(attack.status);
    const begin = performance.now();
    const passed = (): number => performance.now() - begin;
    while (passed() < ms || (isMissing() && passed() < replyLimitMs)) {
      const sent = performance.now();
      await ping(port, agent);
      pings.push(performance.now() - sent);
      peakBytes = Math.max(peakBytes, residentBytes(target.pid));
      // A pace, not a wait for something: pings without pause would be a load of their own.
      await sleep(5);
    }
  } finally {
    isOver = true;
    for (const socket of sockets) socket.destroy();
    agent.destroy();
  }
  return { pings: pings.toSorted((a, b) => a - b), peakBytes, statuses };
}

const ping = (port: number, agent: Agent): Promise<void> =>
  new Promise((resolve, reject) => {
    const sent = request({ port, host: "localhost", agent, path: "/api/queue/v1/ping" }, (reply) => {
      reply.resume().once("end", resolve);
    });
    sent.once("error", reject).setTimeout(20_000, () => sent.destroy(new Error("no reply to a ping")));
    sent.end();
  });

function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return 1024 * Number(kilobytes);
}
