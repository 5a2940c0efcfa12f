import { Global, Module, type DynamicModule, type Provider } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { AppraisalDesk, productionRoots } from '@usufruct/attestation';
import { ApiKeys, AuthGuard, AuthResolver, Challenges, Sessions } from './auth/index.js';
import { ChainIdentity } from './chain/index.js';
import { ErrorFilter } from './errors/index.js';
import { graphqlModule } from './graphql/graphql.module.js';
import { NodeRegistry } from './graphql/index.js';
import { NodeResolver } from './graphql/node.resolver.js';
import { HealthController, Readiness } from './health/index.js';
import { ContactResolver, Contacts, Notices } from './notify/index.js';
import { OutboxService } from './outbox/index.js';
import { PrismaService } from './prisma/index.js';
import { openStore } from './store/index.js';
import { APPRAISAL_DESK, CHAIN, CLOCK, CONFIG, LOGGER, RANDOM, STORE, type Outside } from './tokens.js';

/** Everything that knows no feature. Modules import nothing of it by hand: it is global. */
@Global()
@Module({})
export class PlatformModule {
  static forRoot(outside: Outside): DynamicModule {
    const given: Provider[] = [
      { provide: CONFIG, useValue: outside.config },
      { provide: CLOCK, useValue: outside.clock },
      { provide: RANDOM, useValue: outside.random },
      { provide: LOGGER, useValue: outside.logger },
      { provide: CHAIN, useValue: outside.chain },
      { provide: STORE, useValue: outside.store ?? openStore(outside.config) },
      { provide: APPRAISAL_DESK, useValue: outside.desk ?? new AppraisalDesk({ roots: productionRoots() }) },
    ];
    const services = [ChainIdentity, PrismaService, OutboxService, Contacts, Notices, NodeRegistry, Readiness];
    const shared: Provider[] = [...given, ...services];
    return {
      module: PlatformModule,
      imports: [graphqlModule()],
      controllers: [HealthController],
      providers: [
        ...shared,
        Challenges,
        Sessions,
        ApiKeys,
        AuthResolver,
        ContactResolver,
        NodeResolver,
        { provide: APP_GUARD, useClass: AuthGuard },
        { provide: APP_FILTER, useClass: ErrorFilter },
      ],
      exports: shared,
    };
  }
}
