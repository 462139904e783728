// Starts the command line from the source, as `bin/taskyard.js` does from the build.
import { main } from "../../src/cli/main.ts";

process.exitCode = await main(process.argv.slice(2));
