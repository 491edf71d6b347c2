import { z } from "zod";
import { VARIABLES, variablesSchema } from "../src/workers/variables.ts";

/** docs/environment.md, made of the schema that reads the environment. */
export function environmentDocument(): string {
  const rows = Object.entries(variablesSchema.shape).map(([name, schema]) => {
    const note = VARIABLES.get(schema);
    if (note === undefined) throw new Error(`${name} has no note`);
    return { name, ...note, ...boundsOf(schema) };
  });
  const table = (isSecret: boolean): string =>
    rows
      .filter((row) => (row.isSecret ?? false) === isSecret)
      .map(
        ({ name, what, values, byDefault, guide }) =>
          `| \`${name}\` | ${what} | ${values} | ${byDefault} | [${guide}](${guide}) |`,
      )
      .join("\n");
  const head = "| name | what it is | values | without it | more |\n| --- | --- | --- | --- | --- |";
  return `# Environment

What the Worker is told from outside. Made of \`src/workers/variables.ts\` by \`npm run environment\`; a test holds the two together. A value that does not fit keeps the Worker from starting: every reply then names the
variable, never its value.

## Secrets
\`wrangler secret put NAME\`; locally \`make up\` sets what it needs.

${head}
${table(true)}

## Variables
\`[vars]\` of \`wrangler.toml\`, or \`wrangler deploy --var NAME:VALUE\`.

${head}
${table(false)}

The command line has variables of its own: \`npm run jeeves -- help\`. Those of the embedding server stand in [gpu-embedder/README.md](../gpu-embedder/README.md).
`;
}

const jsonSchema = z.looseObject({
  default: z.union([z.string(), z.number()]).optional(),
  enum: z.array(z.string()).optional(),
  format: z.string().optional(),
  pattern: z.string().optional(),
  type: z.string().optional(),
  minLength: z.number().optional(),
  minimum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  maximum: z.number().optional(),
});

/** What a schema takes, and what stands where nothing was given, in words. */
function boundsOf(schema: z.ZodType): { readonly values: string; readonly byDefault: string } {
  const given = jsonSchema.parse(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }));
  const isOptional = schema.safeParse(undefined).success;
  const byDefault =
    given.default === undefined ? (isOptional ? "off" : "the Worker does not start") : `\`${given.default}\``;
  return { values: valuesText(given), byDefault };
}

function valuesText(given: z.infer<typeof jsonSchema>): string {
  if (given.enum !== undefined) return given.enum.map((each) => `\`${each}\``).join(", ");
  if (given.minimum !== undefined || given.exclusiveMinimum !== undefined) {
    const from = given.exclusiveMinimum === undefined ? String(given.minimum) : `above ${given.exclusiveMinimum}`;
    return `${from} to ${given.maximum ?? "any"}`;
  }
  if (given.format === "uri") return "URL";
  if (given.pattern !== undefined) return `\`${given.pattern.replaceAll("|", "\\|")}\``;
  return (given.minLength ?? 0) > 1 ? `${given.minLength} characters or more` : "text";
}
