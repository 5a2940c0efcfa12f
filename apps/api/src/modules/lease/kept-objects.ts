import { Inject, Injectable } from '@nestjs/common';
import type { BlobCustody, BlobObject, Chain, StepMemory } from '@usufruct/chain';
import { fromBase64, toBase64, type ContributionId, type Digest, type Hex32 } from '@usufruct/kernel';
import { LIMITS, parseAnswer, zBase64, zHex32 } from '@usufruct/protocol';
import { z } from 'zod';
import { Prisma, PrismaService, toJson } from '../../platform/prisma/index.js';
import type { StorePort } from '../../platform/store/index.js';
import { CHAIN, STORE } from '../../platform/tokens.js';
import { KeeperWallet } from './keeper-wallet.js';

/** In the place where the transaction that makes a renewal known is kept later; it says of which blob it is. */
const zStep = z.object({
  custodyOf: zHex32<Hex32>(),
  digest: zHex32<Digest>(),
  bytes: zBase64(LIMITS.transactionBytes),
  signature: z.string(),
});

/** Whether what a renewal keeps is a step of custody, and not yet the transaction that makes it known. */
export const isCustodyStep = (prepared: unknown): boolean => zStep.safeParse(prepared).success;

/**
 * `Blob` objects that contributors have put into custody: a steward may make their leases longer, so the keeper does that
 * by its own wallet and buys no second lease. Nothing is in custody where the store has none.
 */
@Injectable()
export class KeptObjects {
  private readonly custody: BlobCustody | undefined;
  constructor(
    @Inject(STORE) store: StorePort,
    @Inject(CHAIN) chain: Chain,
    keeper: KeeperWallet,
    private readonly prisma: PrismaService,
  ) {
    this.custody = store.custody?.(keeper.signer, chain);
  }

  /** Of these blobs, the objects whose leases have not ended; nobody can make another one longer. */
  async living(
    contributionId: ContributionId,
    blobs: readonly Hex32[],
    epoch: number,
  ): Promise<ReadonlyMap<Hex32, BlobObject>> {
    const held = (await this.custody?.held(contributionId, blobs)) ?? [];
    const living = held.filter((object): object is BlobObject => object !== null && object.endEpoch > epoch);
    return new Map(living.map((object) => [object.blob, object]));
  }

  /** Whether something was signed for this renewal and blob, and may have happened. */
  async isBegun(renewalId: string, blob: Hex32): Promise<boolean> {
    return (await this.memoryOf(renewalId, blob).read()) !== null;
  }

  /** Once for each renewal and blob: what was signed is in the renewal's row before it is sent. */
  async renew(renewalId: string, contributionId: ContributionId, blob: Hex32, toEpoch: number): Promise<number> {
    const memory = this.memoryOf(renewalId, blob);
    return (await this.custody!.renew({ contributionId, blob }, toEpoch, memory)).endEpoch;
  }

  private memoryOf(id: string, blob: Hex32): StepMemory {
    const { prisma } = this;
    return {
      async read() {
        const { prepared } = await prisma.leaseRenewal.findUniqueOrThrow({ where: { id } });
        if (prepared === null) return null;
        const { custodyOf, ...step } = parseAnswer(zStep, prepared, 'database');
        return custodyOf === blob ? { ...step, bytes: fromBase64(step.bytes) } : null;
      },
      async write(step) {
        const prepared =
          step === null ? Prisma.DbNull : toJson({ custodyOf: blob, ...step, bytes: toBase64(step.bytes) });
        await prisma.leaseRenewal.update({ where: { id }, data: { prepared } });
      },
    };
  }
}
