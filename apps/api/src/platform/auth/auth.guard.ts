import { createParamDecorator, Inject, Injectable, SetMetadata } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { GqlExecutionContext, type GqlContextType } from '@nestjs/graphql';
import { refuse } from '@usufruct/kernel';
import type { GraphqlContext } from '../graphql/index.js';
import { ApiKeys, isApiKey } from './api-keys.js';
import { Sessions } from './sessions.js';
import type { ApiScope, Viewer } from './viewer.js';

export const PUBLIC = 'usufruct:public';
export const SCOPE = 'usufruct:scope';
/** Answers anybody. Without it every query, mutation, subscription and route needs a viewer. */
export const Public = () => SetMetadata(PUBLIC, true);
/** The scope that lets an API key in. Without it no key is let in; a wallet's session always is. */
export const RequireScope = (scope: ApiScope) => SetMetadata(SCOPE, scope);

/** Who asks, for resolvers behind the guard. */
export const CurrentViewer = createParamDecorator((_: unknown, context: ExecutionContext): Viewer => {
  const { viewer } = GqlExecutionContext.create(context).getContext<GraphqlContext>();
  if (viewer === undefined || viewer === null) throw refuse('UNAUTHENTICATED');
  return viewer;
});
/** Who asks, or null, for public resolvers that show more to some. */
export const MaybeViewer = createParamDecorator(
  (_: unknown, context: ExecutionContext): Viewer | null =>
    GqlExecutionContext.create(context).getContext<GraphqlContext>().viewer ?? null,
);

interface AskedOverHttp {
  readonly headers: { readonly authorization?: string };
  viewer?: Viewer | null;
}
/** Who asks, for routes behind the guard that are no GraphQL. */
export const HttpViewer = createParamDecorator((_: unknown, context: ExecutionContext): Viewer => {
  const { viewer } = context.switchToHttp().getRequest<AskedOverHttp>();
  if (viewer === undefined || viewer === null) throw refuse('UNAUTHENTICATED');
  return viewer;
});

/** Denies by default. A public field is answered to a caller with a stale token too, as to nobody. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    private readonly sessions: Sessions,
    private readonly apiKeys: ApiKeys,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const targets = [context.getHandler(), context.getClass()];
    const isPublic = this.reflector.getAllAndOverride<boolean | undefined>(PUBLIC, targets) === true;
    if (context.getType<GqlContextType>() !== 'graphql') {
      if (isPublic) return true;
      const request = context.switchToHttp().getRequest<AskedOverHttp>();
      request.viewer = await this.authenticate(request.headers.authorization);
      if (request.viewer === null) throw refuse('UNAUTHENTICATED');
      requireScope(request.viewer, this.reflector.getAllAndOverride<ApiScope | undefined>(SCOPE, targets));
      return true;
    }
    const graphql = GqlExecutionContext.create(context).getContext<GraphqlContext>();
    graphql.viewer ??= await this.authenticate(graphql.authorization);
    if (isPublic) return true;
    if (graphql.viewer === null) throw refuse('UNAUTHENTICATED');
    const scope = this.reflector.getAllAndOverride<ApiScope | undefined>(SCOPE, targets);
    requireScope(graphql.viewer, scope);
    return true;
  }

  private async authenticate(authorization: string | undefined): Promise<Viewer | null> {
    const bearer = /^Bearer ([A-Za-z0-9._~+/=-]{1,4096})$/.exec(authorization ?? '')?.[1];
    if (bearer === undefined) return null;
    return isApiKey(bearer) ? this.apiKeys.viewerOf(bearer) : this.sessions.viewerOf(bearer);
  }
}

function requireScope(viewer: Viewer, scope: ApiScope | undefined): void {
  if (viewer.scopes === null) return;
  if (scope === undefined) throw refuse('FORBIDDEN', { needs: 'a wallet session' });
  if (!viewer.scopes.includes(scope)) throw refuse('FORBIDDEN', { needs: `scope ${scope}` });
}

/** For personal fields of public objects: field resolvers are not behind the guard. */
export function requireViewer(viewer: Viewer | null | undefined, scope: ApiScope): Viewer {
  if (viewer === undefined || viewer === null) throw refuse('UNAUTHENTICATED');
  requireScope(viewer, scope);
  return viewer;
}
