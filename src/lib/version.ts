// The version of this program. A literal, because browsers need it too. A test compares it with package.json.
export const VERSION = "0.1.0";
