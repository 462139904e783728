// An oxlint rule: the message of an error that users read names what to do next. It does if a part of it begins with an imperative
// ("…: use --force to replace it"), or if it states what would be right ("must be", "at most", "such as"). A text that is built
// elsewhere cannot be checked here, and the few errors without a next step have none: both say so in a comment that disables
// the rule for the line.

const errors = new Set(["ApiError", "CliError", "UsageError"]);

// Placed at the beginning of a part of the message, these are imperatives. Elsewhere many of them are nouns: "Run 0 failed".
const imperatives =
  "accept|add|ask|bring|call|check|choose|claim|close|correct|create|delete|download|free|give|install|keep|let|list|make|move|omit|open|pass|" +
  "point|put|raise|reduce|remove|rename|repeat|replace|request|rerun|retry|run|schedule|seal|see|send|set|shorten|sign|split|start|stop|" +
  "synchronize|try|unset|update|upload|use|wait|write";
const step = new RegExp(`(?:[.:;,(\\n]\\s*|\`, |\\b(?:or|and|then|to)\\s+)(?:${imperatives})\\b`, "i");
const right =
  /\b(?:must|needs|takes|at most|at least|(?:limit|maximum|minimum) (?:is|of)|such as|expected|did you mean|available:|lists (?:them|it|its|all)|instead|prints|shows)\b/i;

/** Reports whether a message names a next step. `…` stands for each inserted value. */
export const namesNextStep = (message) => step.test(message) || right.test(message);

/** Returns the literal text of an expression, with `…` for what is known only at run time. */
function textOf(node) {
  switch (node?.type) {
    case "Literal":
      return typeof node.value === "string" ? node.value : "…";
    case "TemplateLiteral":
      return node.quasis
        .map(
          (quasi, i) => quasi.value.cooked + (i < node.expressions.length ? textOf(node.expressions[i]) : ""),
        )
        .join("");
    case "BinaryExpression":
      return textOf(node.left) + textOf(node.right);
    case "ConditionalExpression":
      return `${textOf(node.consequent)}${textOf(node.alternate)}`;
    default:
      return "…";
  }
}

const rule = {
  create: (context) => ({
    NewExpression(node) {
      const { name } = node.callee;
      if (!errors.has(name)) return;
      const message = textOf(node.arguments[name === "ApiError" ? 1 : 0]);
      if (namesNextStep(message)) return;
      context.report({
        node,
        message: `This message does not name a next step: "${message.trim()}". State what to do or what would be right.`,
      });
    },
  }),
};

export default { meta: { name: "messages" }, rules: { "next-step": rule } };
