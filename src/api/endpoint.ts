// An API method as a single literal, from which server, client, references, OpenAPI and CLI derive everything.
import type { Static, TSchema } from "typebox";
import type { ScopeTemplate } from "../lib/scopes/template.ts";
import type { Named } from "./schema.ts";

export type Stability = "experimental" | "stable" | "deprecated";

export interface Endpoint {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /**
   * The path below `/api/<service>/<version>`. `:name` is one percent-encoded segment. A trailing `*name` matches the
   * rest, whose slashes may be encoded or not.
   */
  readonly path: string;
  /** A parameter within the path whose value contains one slash, which may be encoded or not. */
  readonly slashIn?: string;
  /** The last parameter of the path may be left out, together with its slash. Its value is then empty. */
  readonly lastIsOptional?: true;
  /** A parameter after whose value old clients of Taskcluster send a colon, which is ignored. */
  readonly colonAfter?: string;
  readonly name: string;
  readonly category: string;
  readonly stability: Stability;
  /** For old clients: references and documentation omit it. */
  readonly unpublished?: true;
  readonly title: string;
  /** Markdown. */
  readonly description: string;
  /** A pattern for each path parameter. */
  readonly params?: Readonly<Record<string, RegExp>>;
  /** A pattern for each query parameter. All are optional. Other keys are refused. */
  readonly query?: Readonly<Record<string, RegExp>>;
  readonly body?: Named;
  /** The maximum size of the body in bytes, if it differs from the server's general limit. */
  readonly bodyLimit?: number;
  /**
   * The member of the body that is a list of thousands of elements. It is parsed in pieces, so that it does not delay
   * other requests. Its elements are *not* validated against the schema: the handler must do so, also in pieces.
   */
  readonly longList?: string;
  /** For methods that read much: how many of the server's places for such calls this one takes while it runs. */
  readonly heavy?: number;
  /** `blob` is a reply without a schema: a redirect, a stream or a file. */
  readonly reply?: Named | "blob";
  /** The status of the reply. Default: 200. */
  readonly replyStatus?: number;
  /** The scopes that the caller needs. Without it the method is public and credentials are not checked. */
  readonly scopes?: ScopeTemplate;
  /** Members of the body that are secret and must not be repeated in error replies. */
  readonly secretMembers?: readonly string[];
}

/** Declares an API method. Preserves the literal types of the argument. */
export const endpoint = <const E extends Endpoint>(declaration: E): E => declaration;

/** The path parameters of a method, all strings. */
export type ParamsOf<E> = E extends { readonly params: infer P } ? { readonly [K in keyof P]: string } : {};

/** The query of a method. Every key is optional. */
export type QueryOf<E> = E extends { readonly query: infer Q } ? { readonly [K in keyof Q]?: string } : {};

/** The request body of a method, or `undefined` if it has none. */
export type BodyOf<E> = E extends { readonly body: Named<infer B extends TSchema> } ? Static<B> : undefined;

/** The reply of a method: `undefined` if it has no body, `unknown` for a blob. */
export type ReplyOf<E> = E extends { readonly reply: Named<infer R extends TSchema> }
  ? Static<R>
  : E extends { readonly reply: "blob" }
    ? unknown
    : undefined;
