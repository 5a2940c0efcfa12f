import { Args, Context, ID, Query, Resolver } from '@nestjs/graphql';
import { refuse } from '@usufruct/kernel';
import { Public } from '../auth/index.js';
import type { GraphqlContext } from './context.js';
import { Node, NodeRegistry } from './node.js';

const MAX_NODES = 50;

/** Relay's way back from a global id. What the caller may not see is null, as what does not exist. */
@Public()
@Resolver()
export class NodeResolver {
  constructor(private readonly registry: NodeRegistry) {}

  @Query(() => Node, { nullable: true })
  node(@Args('id', { type: () => ID }) id: string, @Context() context: GraphqlContext): Promise<object | null> {
    return this.registry.fetch(id, context);
  }

  @Query(() => [Node], { nullable: 'items' })
  nodes(
    @Args('ids', { type: () => [ID] }) ids: string[],
    @Context() context: GraphqlContext,
  ): Promise<(object | null)[]> {
    if (ids.length > MAX_NODES) throw refuse('INVALID_ARGUMENT', { field: 'ids', expected: `at most ${MAX_NODES}` });
    return Promise.all(ids.map((id) => this.registry.fetch(id, context)));
  }
}
