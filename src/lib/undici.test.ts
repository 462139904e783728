import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";

const root = join(import.meta.dirname, "../..");

it("the global fetch and the package send requests with an explicit length in the same process", async () => {
  const server = createServer(async (request, response) => response.end(await text(request)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  // The address of a TCP server is an object.
  const { port } = server.address() as AddressInfo;
  // A process of its own: which copy is loaded first decides.
  const program = `
    import { loadUndici } from ${JSON.stringify(import.meta.resolve("./undici.ts"))};
    const { Agent, request } = await loadUndici();
    const url = "http://127.0.0.1:${port}/";
    const options = { method: "POST", body: "abc", headers: { "content-length": "3" } };
    console.log(await (await fetch(url, options)).text());
    const dispatcher = new Agent();
    console.log(await (await request(url, { ...options, dispatcher })).body.text());
    await dispatcher.close();
  `;
  const args = ["--import", "tsx", "--input-type=module", "-e", program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
  expect(stdout).toBe("abc\nabc\n");
});

const loads = (source: string): boolean =>
  /^(import|export) (?!type )[^;]*["']undici["']|(import|require)\(["']undici["']\)/m.test(source);

it("recognizes a file that loads the package", () => {
  expect(loads('import { Pool, type Agent } from "undici";')).toBe(true);
  expect(loads('const { Pool } = await import("undici");')).toBe(true);
  expect(loads('import type { Pool } from "undici";')).toBe(false);
});

it("only one file loads the package", () => {
  const files = ["src", "test", "bench", "scripts", "examples"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((file) => join(folder, file)),
  );
  const loading = files.filter(
    (file) => /\.m?[jt]s$/.test(file) && loads(readFileSync(join(root, file), "utf8")),
  );
  expect(loading).toEqual(["src/lib/undici.ts", "src/lib/undici.test.ts"].sort());
});
