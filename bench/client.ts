// A lean API client for load: keep-alive connections, Hawk headers by node:crypto, replies not parsed.
// The typed client would work, but it costs three times the CPU, which the measured server would then lack.
import { createHmac, randomBytes } from "node:crypto";
import { authorizationHeader, headerText } from "../src/lib/hawk.ts";
import { loadUndici } from "../src/lib/undici.ts";

const { Pool } = await loadUndici();

export interface Credentials {
  readonly clientId: string;
  readonly accessToken: string;
  readonly certificate?: string;
}

export interface LoadClient {
  /** Sends a request, unsigned if `as` is null, and returns the text of the reply's body. Throws on any status but 2xx. */
  send(method: string, path: string, body?: unknown, as?: Credentials | null): Promise<string>;
  close(): Promise<void>;
}

export function loadClient(rootUrl: string, credentials: Credentials, connections: number): LoadClient {
  const pool = new Pool(rootUrl, { connections, pipelining: 1, headersTimeout: 60_000, bodyTimeout: 60_000 });
  const { hostname, port } = new URL(rootUrl);
  return {
    async send(method, path, body, as = credentials) {
      const payload = body === undefined ? null : JSON.stringify(body);
      const response = await pool.request({
        method,
        path,
        headers: {
          ...(as !== null && { authorization: signature(method, path, as) }),
          ...(payload !== null && { "content-type": "application/json" }),
        },
        body: payload,
      });
      const reply = await response.body.text();
      if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${response.statusCode} ${reply}`);
      return reply;
    },
    close: () => pool.close(),
  };

  function signature(method: string, path: string, as: Credentials): string {
    const ts = Math.floor(Date.now() / 1000);
    const nonce = randomBytes(6).toString("base64url");
    const ext = as.certificate
      ? Buffer.from(JSON.stringify({ certificate: JSON.parse(as.certificate) })).toString("base64")
      : undefined;
    const parts = { ts, nonce, ...(ext !== undefined && { ext }) };
    const text = headerText({ ...parts, method, resource: path, host: hostname, port: Number(port) });
    const mac = createHmac("sha256", as.accessToken).update(text).digest("base64");
    return authorizationHeader({ id: as.clientId, mac, ...parts });
  }
}
