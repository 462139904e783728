// HTML as tagged templates: values are escaped, unless they are HTML themselves.

/** HTML that is safe to send. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** A value in a template: text, HTML, a list of both, or nothing. */
export type HtmlValue = string | number | Html | undefined | false | readonly HtmlValue[];

/** Returns the template as HTML: `` html`<p>${text}</p>` ``. Attributes must be quoted, so that escaping suffices. */
export const html = (parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html =>
  new Html(parts.map((part, i) => part + render(values[i])).join(""));

/** Returns a constant as HTML, such as a stylesheet. It must not contain external input. */
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
