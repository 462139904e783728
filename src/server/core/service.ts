// The shape of a service: one value per service, over which the composition root (../main.ts) iterates.
//
// docs/architecture.md shows how to add one.
import type { Static, TObject } from "typebox";
import type { monitoringEndpoints, Service } from "../../api/service.ts";
import type { Clock } from "../../lib/clock.ts";
import type { ArtifactStore, CheckUpload } from "./artifact-store/index.ts";
import type { CoreConfig } from "./config/core-settings.ts";
import type { ConfigProblem } from "./config/problem.ts";
import type { ReadonlySettings } from "../../lib/setting.ts";
import type { Db } from "./db.ts";
import type { EncryptedColumn } from "./encryption/encrypted-column.ts";
import type { KeyRing } from "./encryption/key-ring.ts";
import type { ConsumerOptions, EventLog } from "./event-log/index.ts";
import type { HealthCheck } from "./health-check.ts";
import type { Authenticate } from "./http/call.ts";
import type { CachedDocument } from "./http/send-document.ts";
import type { Handlers } from "./http/serve.ts";
import type { LoopDefinition } from "./loop.ts";
import type { LogDefinitions } from "./log-definitions.ts";
import type { MetricDefinitions, MetricsOf } from "./metrics.ts";
import type { Monitor } from "./monitor.ts";
import type { ScopeParamsByMethod, ServiceContract } from "./scope-params.ts";
import type { ServiceClient, ServiceClientDeclaration } from "./service-client.ts";
import type { WakeUps } from "./wake-ups.ts";

/** Sections of the configuration by name, made with lib/setting.ts. */
export type Sections = Readonly<Record<string, TObject>>;

/** The loaded values of sections. */
export type SettingsOf<S extends Sections> = ReadonlySettings<Static<TObject<S>>>;

export interface InstanceSecrets {
  readonly rootAccessToken: string;
  readonly secret: string;
}

/** What every service gets to build on. */
export interface Platform<
  S extends Sections = {},
  M extends MetricDefinitions = {},
  C extends ServiceClientDeclaration | undefined = undefined,
> {
  readonly db: Db;
  readonly clock: Clock;
  /** The core settings and the service's own. */
  readonly config: CoreConfig & SettingsOf<S>;
  readonly wakeUps: WakeUps;
  /** Its prefix is the service's name. */
  readonly monitor: Monitor;
  /** The service's own metrics; the core ones are `monitor.metrics`. */
  readonly metrics: MetricsOf<M>;
  readonly events: EventLog;
  readonly artifacts: ArtifactStore;
  /** Encrypts the values of the columns that the service declares as `encrypted`. */
  readonly keyRing: KeyRing;
  /** Returns the URL that clients use for this server. With a free port it is unknown until the server listens. */
  readonly rootUrl: () => string;
  /** The root client's token, and the secret from which the server derives its keys. */
  readonly secrets: InstanceSecrets;
  /** The client that the service declared, with its access token. */
  readonly client: C extends ServiceClientDeclaration ? ServiceClient : undefined;
  /** The clients of all services. */
  readonly serviceClients: readonly ServiceClient[];
  /** The methods of all services, and how the parameters of their scopes follow from a request. */
  readonly contracts: readonly ServiceContract[];
}

/** A platform as a value, whatever service it is for. */
export interface PlatformValues extends Omit<Platform, "client"> {
  readonly client: ServiceClient | undefined;
}

/** Handlers for all methods of a service, except those that every service has. */
export type ServiceHandlers<A extends Service> = Omit<Handlers<A>, keyof typeof monitoringEndpoints>;

/** A document that a service serves at the root, outside of its methods. */
export interface PublicDocument {
  /** Such as `/.well-known/name`. */
  readonly path: string;
  /** Returns the document. Called for each request, so it must be cached. */
  read(): Promise<CachedDocument>;
}

/** A service that was created. */
export interface RunningService<H extends object = object, P = unknown> {
  readonly handlers: H;
  /** What the services after it in the list can use in the process. */
  readonly provides: P;
  readonly loops?: readonly LoopDefinition[];
  /** Named consumers of the event log; they run in the processes that run the loops. */
  readonly consumers?: readonly ConsumerOptions[];
  /** Identifies the callers of all services. Exactly one service has it. */
  readonly authenticate?: Authenticate;
  /** Called for each upload to a store that this server serves itself. */
  readonly checkUpload?: CheckUpload;
  /** Served at the root, to all callers, also if access is closed. */
  readonly publicDocuments?: readonly PublicDocument[];
  /** Shown on the first page. */
  readonly healthChecks?: readonly (() => Promise<HealthCheck>)[];
  /** Runs before the first request is accepted. */
  start?(): Promise<void>;
  /** Ends calls that wait for something, so that the HTTP server can close. Runs first when the server stops. */
  drain?(): void;
  /** Runs after the last request, while the database is still open. */
  stop?(): Promise<void>;
}

export interface ServiceDefinition<
  A extends Service,
  S extends Sections,
  M extends MetricDefinitions,
  C extends ServiceClientDeclaration | undefined,
  D,
  P,
> {
  readonly api: A;
  readonly settings: S;
  readonly metrics: M;
  /** Its log records that other programs may read, for its reference. */
  readonly logs?: LogDefinitions;
  /** The client that the service signs with, if it signs anything. */
  readonly client?: C;
  /** Its columns with encrypted values. */
  readonly encrypted?: readonly EncryptedColumn[];
  /** Where the parameters of scopes are neither in the path nor members of the body with the same name. */
  readonly scopeParams?: ScopeParamsByMethod<A["endpoints"]>;
  /** Creates the service. `deps` contains what the services before it in the list provide, by service name. */
  readonly create: (platform: Platform<S, M, C>, deps: D) => RunningService<ServiceHandlers<A>, P>;
}

/** Declares a service. Infers the types of its settings, metrics, dependencies and `provides`. */
export const defineService = <
  A extends Service,
  S extends Sections,
  M extends MetricDefinitions,
  D,
  P,
  const C extends ServiceClientDeclaration | undefined = undefined,
>(
  definition: ServiceDefinition<A, S, M, C, D, P>,
): ServiceDefinition<A, S, M, C, D, P> => definition;

/** Any service whose dependencies are among `D`. */
export interface AnyService<D = never> {
  readonly api: Service;
  readonly settings: Sections;
  readonly metrics: MetricDefinitions;
  readonly logs?: LogDefinitions;
  readonly client?: ServiceClientDeclaration | undefined;
  readonly encrypted?: readonly EncryptedColumn[];
  readonly scopeParams?: ServiceContract["scopeParams"];
  readonly create: (platform: never, deps: D) => RunningService;
}

type ProvidedBy<X extends AnyService> = ReturnType<X["create"]>["provides"];

/** What a service declares for the configuration: the exports of its `settings.ts`. */
export interface DeclaredSettings {
  readonly settings: Sections;
  /** Returns the problems of settings that are each valid but contradict each other. */
  readonly contradictions?: (config: never) => readonly ConfigProblem[];
}

/**
 * Services in the order of their creation. The compiler checks that each gets its dependencies. Only their settings are
 * loaded with the list, because a worker reads the same configuration and needs no service.
 */
export interface ServiceList<D extends readonly DeclaredSettings[], P> {
  readonly declared: D;
  load(): Promise<readonly AnyService[]>;
  add<S extends DeclaredSettings, X extends AnyService<P> & Pick<S, "settings">>(
    declared: S,
    load: () => Promise<X>,
  ): ServiceList<readonly [...D, S], P & { readonly [N in X["api"]["name"]]: ProvidedBy<X> }>;
}

/** An empty list, to which services are added: `serviceList().add(settings, async () => (await import(…)).authService)`. */
export const serviceList = (): ServiceList<readonly [], {}> => listOf([], []);

function listOf<D extends readonly DeclaredSettings[], P>(
  declared: D,
  loads: readonly (() => Promise<AnyService>)[],
): ServiceList<D, P> {
  return {
    declared,
    load: () => Promise.all(loads.map((load) => load())),
    add: (settings, load) => listOf([...declared, settings], [...loads, load]),
  };
}

export interface CreatedService extends Pick<AnyService, "api" | "metrics" | "logs"> {
  readonly service: RunningService;
}

/** Returns the encrypted columns of all services. */
export const encryptedColumns = (services: readonly AnyService[]): EncryptedColumn[] =>
  services.flatMap(({ encrypted }) => encrypted ?? []);

/** Creates the services of a list in their order. */
export function createServices(
  services: readonly AnyService[],
  platformOf: (service: AnyService) => PlatformValues,
): CreatedService[] {
  const provided: Record<string, unknown> = {};
  return services.map(({ api, ...definition }) => {
    // `serviceList` checked the dependencies of each service, and each platform is made for its service.
    const create = definition.create as (platform: PlatformValues, deps: object) => RunningService;
    const service = create(platformOf({ api, ...definition }), provided);
    provided[api.name] = service.provides;
    const { metrics, logs } = definition;
    return { api, metrics, ...(logs && { logs }), service };
  });
}
