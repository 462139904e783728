// HTML as tagged templates: what is put in is escaped, unless it is HTML itself.

/** HTML that is safe to send. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** What a template takes: text, pieces of HTML, lists of them, or nothing. */
export type HtmlValue = string | number | Html | undefined | false | readonly HtmlValue[];

/** `` html`<p>${text}</p>` ``. Attributes must be quoted: then escaping is enough for them too. */
export const html = (parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html =>
  new Html(parts.map((part, i) => part + render(values[i])).join(""));

/** HTML of our own making that holds nothing from outside, such as a stylesheet. */
export const trusted = (text: string): Html => new Html(text);

function render(value: HtmlValue): string {
  if (value === undefined || value === false) return "";
  if (value instanceof Html) return value.text;
  if (typeof value === "object") return value.map(render).join("");
  return escape(String(value));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
