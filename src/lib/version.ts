// The version of this program. A literal, since browsers need it too; a test holds it to package.json.
export const VERSION = "0.1.0";
