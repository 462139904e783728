// Requests through the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name. For processes of Node; browsers have their own.
import type { Dispatcher } from "undici";
import { isLoopback } from "./loopback.ts";
import { loadUndici } from "./undici.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const names = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"] as const;

let dispatcher: Dispatcher | undefined;

/** Returns what sends requests through the proxy, if there is one, for requests that `fetch` cannot send. */
export const proxyDispatcher = (): Dispatcher | undefined => dispatcher;

/**
 * Lets every `fetch` of this process use the proxy of the environment, if it names one. Node can do so itself only from
 * version 24 on. The package is loaded only here: that takes longer than most commands.
 */
export async function useProxyOf(env: Environment): Promise<void> {
  const set = names.filter((name) => env[name]);
  if (set.length === 0) return;
  for (const name of set) requireUrl(name, env[name] ?? "");
  const undici = await loadUndici();
  const direct = new undici.Agent();
  const { http_proxy: http = env["HTTP_PROXY"], https_proxy: https = env["HTTPS_PROXY"] } = env;
  const { no_proxy: noProxy = env["NO_PROXY"] } = env;
  const proxied = new undici.EnvHttpProxyAgent({
    ...(http && { httpProxy: http }),
    ...(https && { httpsProxy: https }),
    noProxy: noProxy ?? "",
    // Requests to http: URLs are forwarded, as by other programs. Many proxies allow tunnels only to port 443.
    proxyTunnel: false,
  });
  dispatcher = proxied.compose((dispatch) => (options, handler) => {
    const { hostname } = new URL(String(options.origin));
    // For a proxy, these names mean its own machine.
    return isLoopback(hostname) ? direct.dispatch(options, handler) : dispatch(options, handler);
  });
  undici.setGlobalDispatcher(dispatcher);
  // The `fetch` of Node has another version of the package and may not understand this one's dispatchers.
  undici.install();
}

function requireUrl(name: string, value: string): void {
  if (URL.canParse(value) && /^https?:/.test(value)) return;
  // Without the value: it may contain a password.
  throw new Error(
    `The environment variable ${name} is not the URL of a proxy, such as http://proxy.example.com:3128. Correct or unset it.`,
  );
}
