// The JavaScript client of Taskcluster. The package has no types; these cover the parts that the tests use.
import { createRequire } from "node:module";
import type { ReplyOf } from "../../src/api/endpoint.ts";
import type { ApiReference } from "../../src/api/references/api-reference.ts";
import type { Service } from "../../src/api/service.ts";
import type { services } from "../../src/api/services.ts";

export interface PeerCredentials {
  readonly clientId: string;
  readonly accessToken: string;
  /** JSON text, or the parsed value. */
  readonly certificate?: string | object | undefined;
}

export interface PeerOptions {
  readonly rootUrl: string;
  readonly credentials?: PeerCredentials | Record<string, never>;
  readonly authorizedScopes?: readonly string[];
  readonly retries?: number;
}

/** A client of one service. Arguments are path parameters, body, query. Replies have the types of our contract. */
export type PeerService<S extends Service> = {
  readonly [K in keyof S["endpoints"]]: (...args: readonly unknown[]) => Promise<ReplyOf<S["endpoints"][K]>>;
} & {
  buildUrl(method: unknown, ...args: readonly unknown[]): string;
  buildSignedUrl(method: unknown, ...args: readonly unknown[]): string;
};
type PeerQueue = PeerService<(typeof services)["queue"]>;
type PeerObject = PeerService<(typeof services)["object"]>;
type PeerSecrets = PeerService<(typeof services)["secrets"]>;
type PeerIndex = PeerService<(typeof services)["index"]>;
type PeerAuth = PeerService<(typeof services)["auth"]>;

/** The error that a failed call throws. */
export interface PeerError extends Error {
  readonly code: string;
  readonly statusCode: number;
  readonly body: { readonly requestInfo: { readonly method: string } };
}

export interface Peer {
  readonly Queue: new (options: PeerOptions) => PeerQueue;
  readonly Auth: new (options: PeerOptions) => PeerAuth;
  readonly Secrets: new (options: PeerOptions) => PeerSecrets;
  readonly Index: new (options: PeerOptions) => PeerIndex;
  readonly WorkerManager: new (options: PeerOptions) => PeerService<(typeof services)["workerManager"]>;
  readonly Object: new (options: PeerOptions) => PeerObject;
  upload(options: {
    readonly projectId: string;
    readonly name: string;
    readonly contentType: string;
    readonly contentLength: number;
    readonly expires: Date;
    readonly object: PeerObject;
    readonly uploadId?: string;
    readonly streamFactory: () => Promise<NodeJS.ReadableStream>;
  }): Promise<void>;
  download(options: {
    readonly name: string;
    readonly object: PeerObject;
    readonly streamFactory: () => Promise<NodeJS.WritableStream>;
  }): Promise<string>;
  createClient<N extends keyof typeof services = "queue">(
    reference: ApiReference,
    name: string,
  ): new (options: PeerOptions) => PeerService<(typeof services)[N]>;
  createTemporaryCredentials(options: {
    readonly clientId?: string;
    readonly expiry: Date;
    readonly scopes: readonly string[];
    readonly credentials: PeerCredentials;
  }): PeerCredentials & { readonly certificate: string };
  credentialInformation(
    rootUrl: string,
    credentials: PeerCredentials,
  ): Promise<{ clientId: string; type: string; active: boolean; scopes: string[] }>;
  downloadArtifact(options: {
    readonly taskId: string;
    readonly name: string;
    readonly queue: PeerQueue;
    readonly streamFactory: () => Promise<NodeJS.WritableStream>;
  }): Promise<string>;
  fromNow(offset: string): Date;
  slugid(): string;
}

// A CommonJS package without types. The tests that use it also check the interfaces above.
export const peer = createRequire(import.meta.url)("taskcluster-client") as Peer;
