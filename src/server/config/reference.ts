// Renders the reference page of the configuration from the schema.
import { catalog, type CatalogEntry, configFileVariable, sections } from "./catalog.ts";
import { configFileName } from "./read-file.ts";
import { formatSetting, type Setting } from "../../lib/setting.ts";

/** Returns the content of `docs/reference/configuration.md`. */
export function renderConfigReference(): string {
  const entries = [...catalog.values()];
  const parts = [...sections].map(([name, description]) => {
    const own = entries.filter(({ section }) => section === name);
    return `## ${name}\n\n${description}\n\n${table(own)}`;
  });
  return `${[introduction, table(entries.filter(({ section }) => section === "")), ...parts].join("\n\n")}\n`;
}

const introduction = `# Configuration

<!-- Generated from src/server/config/schema.ts by \`npm run generate\`. -->

The value of a setting comes from the first of these sources that has it:

1. a command line option, such as \`--port\`;
2. an environment variable: \`TASKYARD_\`, section and key in capitals, as in \`TASKYARD_QUEUE_CLAIM_TIMEOUT\`;
3. the config file: the file given by \`--config\` or \`${configFileVariable}\`, otherwise \`${configFileName}\` in the
   working directory, otherwise \`${configFileName}\` in the home folder (only one file is read);
4. its default.

\`\`\`yaml
# ${configFileName}
access: closed
server:
  port: 9000
queue:
  claimTimeout: 20m
\`\`\`

A duration is a whole number with the unit \`ms\`, \`s\`, \`m\`, \`h\` or \`d\`. A size is a whole number with \`B\`, \`kB\`,
\`MB\`, \`GB\`, \`TB\` (powers of 1000) or \`KiB\`, \`MiB\`, \`GiB\`, \`TiB\` (powers of 1024). A list in a variable is
separated by commas or written in JSON. An empty variable is treated as not set. Relative paths in the config file are
relative to its folder, all others to the working directory; \`~/\` is the user's home. An unknown key or \`TASKYARD_\`
variable is an error, except for those that Kubernetes adds for a Service named \`taskyard\`, such as
\`TASKYARD_PORT=tcp://10.0.0.1:80\` and \`TASKYARD_SERVICE_HOST\`: they are ignored. \`AMQP_URL\` is reserved for a relay to
RabbitMQ.`;

function table(entries: readonly CatalogEntry[]): string {
  const rows = entries.map((entry) =>
    [
      code(entry.key),
      [...options(entry.setting), ...entry.variables].map(code).join("<br>"),
      preset(entry.setting),
      meaning(entry.setting),
    ].join(" | "),
  );
  return [
    "| key | option, variable | default | meaning |",
    "|---|---|---|---|",
    ...rows.map((row) => `| ${row} |`),
  ].join("\n");
}

function options({ option }: Setting): string[] {
  return option === undefined ? [] : [`--${option.name}`];
}

function preset(setting: Setting): string {
  if (setting.derived !== undefined) return setting.derived;
  if (Array.isArray(setting.default) && setting.default.length > 3) {
    return `<details><summary>${setting.default.length} entries</summary>${setting.default.map(code).join("<br>")}</details>`;
  }
  return code(formatSetting(setting, setting.default));
}

function meaning(setting: Setting): string {
  const choices = setting.enum === undefined ? "" : ` One of ${setting.enum.map(code).join(", ")}.`;
  const secret = setting.secret === true ? " Secret: never shown in errors or logs." : "";
  return `${setting.description}${choices}${secret}`.replaceAll("|", "\\|");
}

function code(text: unknown): string {
  return `\`${String(text)}\``;
}
