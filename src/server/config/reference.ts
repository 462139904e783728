// The reference page of the configuration, made from the schema.
import { catalogue, type CatalogueEntry, configFileVariable, sections } from "./catalogue.ts";
import { configFileName } from "./read-file.ts";
import { type Setting, written } from "../../lib/setting.ts";

/** `docs/reference/configuration.md`. */
export function renderConfigReference(): string {
  const entries = [...catalogue.values()];
  const parts = [...sections].map(([name, description]) => {
    const own = entries.filter(({ section }) => section === name);
    return `## ${name}\n\n${description}\n\n${table(own)}`;
  });
  return `${[introduction, table(entries.filter(({ section }) => section === "")), ...parts].join("\n\n")}\n`;
}

const introduction = `# Configuration

<!-- Generated from src/server/config/schema.ts by \`npm run generate\`. -->

A setting is taken from the first of these that has it:

1. a flag of the command, such as \`--port\`;
2. a variable of the environment: \`TASKYARD_\`, section and key in capitals, as in \`TASKYARD_QUEUE_CLAIM_TIMEOUT\`;
3. the config file: the one that \`--config\` or \`${configFileVariable}\` names, else \`${configFileName}\` in the folder
   where the command is started, else the one in the home folder (one file is read, not both);
4. its default.

\`\`\`yaml
# ${configFileName}
server:
  port: 9000
queue:
  claimTimeout: 20m
auth:
  anonymousScopes: ["queue:get-artifact:public/*", "queue:status:*"]
\`\`\`

Durations are a whole number with \`ms\`, \`s\`, \`m\`, \`h\` or \`d\`; sizes one with \`B\`, \`kB\`, \`MB\`, \`GB\`, \`TB\` (powers of
1000) or \`KiB\`, \`MiB\`, \`GiB\`, \`TiB\` (powers of 1024). In a variable, a list is separated by commas or written in
JSON, and an empty value counts as not set. Relative paths start at the config file, or at the folder where the
command is started; \`~/\` is the user's folder. An unknown key or \`TASKYARD_\` variable is an error. \`AMQP_URL\` is
reserved for the relay to RabbitMQ.`;

function table(entries: readonly CatalogueEntry[]): string {
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
  return code(written(setting, setting.default));
}

function meaning(setting: Setting): string {
  const choices = setting.enum === undefined ? "" : ` One of ${setting.enum.map(code).join(", ")}.`;
  const secret = setting.secret === true ? " Secret: never shown in errors or logs." : "";
  return `${setting.description}${choices}${secret}`.replaceAll("|", "\\|");
}

function code(text: unknown): string {
  return `\`${String(text)}\``;
}
