import { refuse, type UsufructError } from '@usufruct/kernel';
import {
  getNamedType,
  getNullableType,
  isCompositeType,
  isListType,
  isObjectType,
  isInterfaceType,
  Kind,
  type ASTVisitor,
  type FieldNode,
  type GraphQLField,
  type GraphQLNamedType,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValidationContext,
} from 'graphql';
import { toGraphqlError } from '../errors/index.js';
import { PAGE_DEFAULT, PAGE_LIMIT } from './connection.js';

/** What one document may ask for. Tokens are counted by the parser. */
export const QUERY_LIMITS = { depth: 14, aliases: 20, directives: 20, cost: 20_000, tokens: 2_000 } as const;

/** A list without a page size is taken for this long. */
const LIST_LENGTH = 8;

interface Measure {
  readonly depth: number;
  readonly aliases: number;
  readonly directives: number;
  /** Fields (or what their `cost` extension says), each times the sizes of the pages that it is in. */
  readonly cost: number;
}
const NOTHING: Measure = { depth: 0, aliases: 0, directives: 0, cost: 0 };

/**
 * Refuses documents that are too deep, alias too much, carry too many directives or could answer with too many
 * fields. Own code instead of graphql-armor's rules: those count a page size only where it is written as a literal, so
 * `first: $n` would cost nothing. A page size in a variable counts as the largest one.
 */
export function queryLimitsRule(context: ValidationContext): ASTVisitor {
  let operations = 0;
  return {
    OperationDefinition(operation) {
      operations += 1;
      // Compiled queries are cached by their text: a second operation in it would be answered as the first.
      if (operations > 1) return report(context, refuse('MALFORMED_REQUEST', { reason: 'more than one operation' }));
      const measure = new Measurer(context).operation(operation);
      for (const limit of ['depth', 'aliases', 'directives', 'cost'] as const) {
        if (measure[limit] > QUERY_LIMITS[limit]) {
          const details = { limit, allowed: String(QUERY_LIMITS[limit]), found: String(measure[limit]) };
          return report(context, refuse('QUERY_TOO_EXPENSIVE', details));
        }
      }
      return undefined;
    },
  };
}

const report = (context: ValidationContext, error: UsufructError): void => context.reportError(toGraphqlError(error));

class Measurer {
  private readonly fragments = new Map<string, Measure>();
  constructor(private readonly context: ValidationContext) {}

  operation(operation: OperationDefinitionNode): Measure {
    const root = this.context.getSchema().getRootType(operation.operation);
    const inside = this.selections(operation.selectionSet, root ?? undefined);
    return { ...inside, directives: inside.directives + (operation.directives?.length ?? 0) };
  }

  private selections(set: SelectionSetNode, parent: GraphQLNamedType | undefined): Measure {
    let total = NOTHING;
    for (const selection of set.selections) {
      const own = this.selection(selection, parent);
      total = {
        depth: Math.max(total.depth, own.depth),
        aliases: total.aliases + own.aliases,
        directives: total.directives + own.directives + (selection.directives?.length ?? 0),
        cost: total.cost + own.cost,
      };
    }
    return total;
  }

  private selection(selection: SelectionSetNode['selections'][number], parent: GraphQLNamedType | undefined): Measure {
    if (selection.kind === Kind.FIELD) return this.field(selection, parent);
    if (selection.kind === Kind.FRAGMENT_SPREAD) return this.fragment(selection.name.value);
    const condition = selection.typeCondition?.name.value;
    const type = condition === undefined ? parent : this.context.getSchema().getType(condition);
    return this.selections(selection.selectionSet, type);
  }

  private fragment(name: string): Measure {
    const known = this.fragments.get(name);
    if (known !== undefined) return known;
    // A fragment that spreads itself is refused by GraphQL's own rules; here it only must not loop.
    this.fragments.set(name, NOTHING);
    const fragment = this.context.getFragment(name);
    if (fragment === null || fragment === undefined) return NOTHING;
    const type = this.context.getSchema().getType(fragment.typeCondition.name.value);
    const measure = this.selections(fragment.selectionSet, type);
    this.fragments.set(name, measure);
    return measure;
  }

  private field(node: FieldNode, parent: GraphQLNamedType | undefined): Measure {
    const definition =
      isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[node.name.value] : undefined;
    const type = definition === undefined ? undefined : getNamedType(definition.type);
    const alias = node.alias === undefined ? 0 : 1;
    const own = typeof definition?.extensions['cost'] === 'number' ? definition.extensions['cost'] : 1;
    if (node.selectionSet === undefined) return { depth: 1, aliases: alias, directives: 0, cost: own };
    const inside = this.selections(node.selectionSet, isCompositeType(type) ? type : undefined);
    return {
      depth: inside.depth + 1,
      aliases: inside.aliases + alias,
      directives: inside.directives,
      cost: own + lengthOf(node, definition) * inside.cost,
    };
  }
}

/** How many objects the field may answer with. */
function lengthOf(node: FieldNode, definition: GraphQLField<unknown, unknown> | undefined): number {
  if (definition?.args.some((argument) => argument.name === 'first') === true) {
    const given = node.arguments?.find((argument) => argument.name.value === 'first')?.value;
    if (given === undefined) return PAGE_DEFAULT;
    return given.kind === Kind.INT ? Math.max(1, Number(given.value)) : PAGE_LIMIT;
  }
  // `edges` is counted by the field that has the page size.
  const isList = definition !== undefined && isListType(getNullableType(definition.type));
  return isList && node.name.value !== 'edges' && node.name.value !== 'events' ? LIST_LENGTH : 1;
}
