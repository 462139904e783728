// The part of the public API that needs the file system: `taskyard-ci/node`.
export { saveDownload } from "./save-download.ts";
