// An oxlint rule: the message of an error that users may read names what to do next. It does if a part of it begins with an
// imperative ("…: use --force to replace it"), or if it states what would be right ("must be", "at most", "such as").
//
// Checked is each `new` of a class whose name ends with Error, the text that such a class passes to `super`, and each `problem`
// of a setting. An error that users never read is
// an `InternalError` (src/lib/internal-error.ts). A message without a text of its own ("…") repeats one that was checked where
// it is written. The few other errors that are built elsewhere, or have no next step, say so in a comment that disables the
// rule for the line.

/** Position of the message among the arguments, if it is not the first. A HawkError has its next step beside the message. */
const positions = { ApiError: 1, UnreadableFileError: 1, AggregateError: 1, HawkError: Infinity };
const isChecked = (name) => name?.endsWith("Error") && name !== "InternalError";

// Placed at the beginning of a part of the message, these are imperatives. Elsewhere many of them are nouns: "Run 0 failed".
const imperatives =
  "accept|add|ask|begin|bring|change|call|check|choose|claim|close|correct|create|delete|download|free|give|indent|install|keep|let|list|make|move|omit|open|pass|" +
  "point|put|raise|reduce|remove|rename|renumber|repeat|replace|request|rerun|restore|retry|run|schedule|seal|see|send|set|shorten|sign|split|start|stop|" +
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
    case "ArrayExpression":
      return node.elements.map(textOf).join("\n");
    default:
      return "…";
  }
}

const isBuiltElsewhere = (message) => !/[a-z]/i.test(message);

const rule = {
  create(context) {
    const check = (node, message) => {
      if (isBuiltElsewhere(message) || namesNextStep(message)) return;
      context.report({
        node,
        message:
          `This message does not name a next step: "${message.trim()}". State what to do or what would be right, or throw ` +
          `an InternalError if no user reads it.`,
      });
    };
    return {
      NewExpression(node) {
        const { name = "" } = node.callee;
        const given = node.arguments[positions[name] ?? 0];
        if (isChecked(name) && given !== undefined) check(node, textOf(given));
      },
      CallExpression(node) {
        if (node.callee.type !== "Super") return;
        let of = node;
        while (of && of.type !== "ClassDeclaration" && of.type !== "ClassExpression") of = of.parent;
        if (!isChecked(of?.superClass?.name)) return;
        check(node, textOf(node.arguments[positions[of.superClass.name] ?? 0]));
      },
      Property(node) {
        if (node.key.name === "problem" && !node.shorthand) check(node, textOf(node.value));
      },
    };
  },
};

export default { meta: { name: "messages" }, rules: { "next-step": rule } };
