// Removes slashes from the end of URLs and paths.

/** Returns `text` without the slashes at its end. The lookbehind makes it linear: only the first slash of a run is tried. */
export const withoutTrailingSlashes = (text: string): string => text.replace(/(?<!\/)\/+$/, "");
