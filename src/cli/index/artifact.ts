// `taskyard index artifact`.
import { basename } from "node:path";
import { downloadLocated } from "../../client/artifacts/download.ts";
import { waitingClock } from "../../lib/clock.ts";
import { InternalError } from "../../lib/internal-error.ts";
import { exitStatus } from "../cli-error.ts";
import { command } from "../command.ts";
import { writeLine } from "../io.ts";
import { connectTarget } from "../target.ts";
import { saveArtifact } from "../task/save-artifact.ts";
import { parsePath } from "./parse-path.ts";

export const indexArtifactCommand = command({
  name: "index artifact",
  summary: "Download an artifact of the task at a path of the index.",
  details: ["Writes to FILE.part and renames it when the download is complete."],
  args: [{ name: "PATH" }, { name: "NAME" }, { name: "FILE|-", optional: true }],
  options: {
    url: { type: "flag", summary: "Print a URL instead. One of a private artifact is valid for 15 minutes." },
    force: { type: "flag", summary: "Replace an existing file." },
  },
  examples: [
    {
      command: "taskyard index artifact project.nightly.linux public/build.tar.gz",
      description: "Download to build.tar.gz in the current folder.",
    },
    {
      command: 'curl -fL "$(taskyard index artifact --url project.nightly.linux public/report.json)"',
      description: "Fetch it with another program.",
    },
  ],
  async run({ options, args, io }) {
    const indexPath = parsePath(args[0]);
    const [, name = "", file = basename(name)] = args;
    const { index } = await connectTarget(io);
    const find = async (retries?: number): Promise<string> =>
      urlIn(await index.findArtifactFromTask({ indexPath, name }, { retries }));
    if (options.url) {
      writeLine(io.stdout, await find());
      return exitStatus.ok;
    }
    const transport = { fetch, clock: waitingClock, retries: 5 };
    const locate = async () => ({ url: await find(0), hashes: {} });
    await saveArtifact({
      name,
      file,
      force: options.force,
      io,
      open: (onProgress) => downloadLocated(transport, { name, onProgress, locate }),
    });
    return exitStatus.ok;
  },
});

/** Returns the URL of the redirect, which the body repeats. */
function urlIn(reply: unknown): string {
  const { url }: { url?: unknown } = typeof reply === "object" && reply !== null ? reply : {};
  if (typeof url === "string") return url;
  throw new InternalError("the redirect to the artifact has no URL in its body");
}
