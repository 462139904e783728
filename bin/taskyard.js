#!/usr/bin/env node
import { main } from "../dist/taskyard.js";
process.exitCode = await main(process.argv.slice(2));
