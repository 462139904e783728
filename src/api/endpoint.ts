// One API method as one literal: everything that server, client, references, OpenAPI and CLI need to know of it.
import type { Static, TSchema } from "typebox";
import type { ScopeTemplate } from "../lib/scopes/template.ts";
import type { Named } from "./schema.ts";

export type Stability = "experimental" | "stable" | "deprecated";

export interface Endpoint {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /**
   * The path below `/api/<service>/<version>`. `:name` is one percent-encoded segment; a trailing `*name` takes
   * the rest, with its slashes encoded or not.
   */
  readonly path: string;
  /** A parameter inside of the path whose value has one slash, which may be encoded or not. */
  readonly slashIn?: string;
  readonly name: string;
  readonly category: string;
  readonly stability: Stability;
  readonly title: string;
  /** Markdown. */
  readonly description: string;
  /** A pattern for each parameter of the path. */
  readonly params?: Readonly<Record<string, RegExp>>;
  /** A pattern for each query parameter; all are optional, any other key is refused. */
  readonly query?: Readonly<Record<string, RegExp>>;
  readonly body?: Named;
  /** Bytes of the largest body, where it is another than the server's general limit. */
  readonly bodyLimit?: number;
  /**
   * The member of the body that is a list of thousands. It is parsed piece by piece, so that nobody else has to wait
   * for it; its elements are *not* checked against the schema, which the handler does in the same manner.
   */
  readonly longList?: string;
  /** `blob` is anything that is not described by a schema: redirects, streams, files. */
  readonly reply?: Named | "blob";
  /** The status of that reply; 200 unless it says otherwise, as a redirect does. */
  readonly replyStatus?: number;
  /** What the caller must hold. Without it the method is public and credentials are not even looked at. */
  readonly scopes?: ScopeTemplate;
  /** Members of the body that must not be repeated in error replies, since they are secret. */
  readonly secretMembers?: readonly string[];
}

/** Declares an API method; the literal types of the argument are kept. */
export const endpoint = <const E extends Endpoint>(declaration: E): E => declaration;

/** The path parameters of a method, all strings. */
export type ParamsOf<E> = E extends { readonly params: infer P } ? { readonly [K in keyof P]: string } : {};

/** The query of a method: every key optional. */
export type QueryOf<E> = E extends { readonly query: infer Q } ? { readonly [K in keyof Q]?: string } : {};

/** The request body of a method; `undefined` where it takes none. */
export type BodyOf<E> = E extends { readonly body: Named<infer B extends TSchema> } ? Static<B> : undefined;

/** The reply of a method; `undefined` where it answers with no body, `unknown` for a blob. */
export type ReplyOf<E> = E extends { readonly reply: Named<infer R extends TSchema> }
  ? Static<R>
  : E extends { readonly reply: "blob" }
    ? unknown
    : undefined;
