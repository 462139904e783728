// The client, bundled for browsers as a bundler of a web page does.
import { build, type Metafile } from "esbuild";

export interface ClientBundle {
  /** A script that sets the global `taskyard`. */
  readonly script: string;
  readonly metafile: Metafile;
}

export async function bundleClient(): Promise<ClientBundle> {
  const { outputFiles, metafile } = await build({
    entryPoints: ["src/client/index.ts"],
    bundle: true,
    write: false,
    metafile: true,
    platform: "browser",
    format: "iife",
    globalName: "taskyard",
    minify: true,
    logLevel: "silent",
  });
  const [output] = outputFiles;
  if (!output) throw new Error("esbuild wrote nothing");
  return { script: output.text, metafile };
}
