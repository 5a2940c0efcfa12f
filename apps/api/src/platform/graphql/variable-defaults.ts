import {
  getNullableType,
  isInputObjectType,
  isListType,
  Kind,
  typeFromAST,
  valueFromASTUntyped,
  type DocumentNode,
  type GraphQLInputType,
  type GraphQLSchema,
} from 'graphql';

type Variables = Readonly<Record<string, unknown>>;
type Fill = (value: unknown) => unknown;

const plans = new WeakMap<DocumentNode, ReadonlyMap<string, Fill>>();

/**
 * Put in what a client left out because it has a default. GraphQL does so by itself; a compiled query (graphql-jit
 * 0.8) refuses a non-null field or variable that was left out, default or not.
 */
export function withDefaults(schema: GraphQLSchema, document: DocumentNode, variables: Variables): Variables {
  const plan = plans.get(document) ?? planOf(schema, document);
  plans.set(document, plan);
  if (plan.size === 0) return variables;
  const filled: Record<string, unknown> = { ...variables };
  for (const [name, fill] of plan) {
    const value = fill(filled[name]);
    if (value !== undefined) filled[name] = value;
  }
  return filled;
}

function planOf(schema: GraphQLSchema, document: DocumentNode): ReadonlyMap<string, Fill> {
  const plan = new Map<string, Fill>();
  const operation = document.definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  for (const { variable, type, defaultValue } of operation?.variableDefinitions ?? []) {
    const inputType = typeFromAST(schema, type as Parameters<typeof typeFromAST>[1]) as GraphQLInputType | undefined;
    const inside = inputType === undefined ? null : fillOf(inputType);
    if (inside === null && defaultValue === undefined) continue;
    const initial = defaultValue === undefined ? undefined : valueFromASTUntyped(defaultValue);
    plan.set(variable.name.value, (value) => (inside ?? asIs)(value === undefined ? initial : value));
  }
  return plan;
}

const asIs: Fill = (value) => value;

/** How to complete a value of this type; null where nothing can be missing. Our input types do not contain themselves. */
function fillOf(type: GraphQLInputType): Fill | null {
  const inner = getNullableType(type);
  if (isListType(inner)) {
    const fill = fillOf(inner.ofType as GraphQLInputType);
    return fill === null ? null : (value) => (Array.isArray(value) ? value.map(fill) : value);
  }
  if (!isInputObjectType(inner)) return null;
  const fields = Object.values(inner.getFields())
    .map(({ name, defaultValue, type: fieldType }) => ({ name, defaultValue, fill: fillOf(fieldType) }))
    .filter(({ defaultValue, fill }) => defaultValue !== undefined || fill !== null);
  if (fields.length === 0) return null;
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    const filled: Record<string, unknown> = { ...value };
    for (const { name, defaultValue, fill } of fields) {
      const given = filled[name] === undefined ? defaultValue : filled[name];
      if (given !== undefined) filled[name] = (fill ?? asIs)(given);
    }
    return filled;
  };
}
