import { Injectable } from '@nestjs/common';
import type { ChainEvent } from '@usufruct/protocol';
import { toDate, type Database } from '../../platform/prisma/index.js';
import type { Projector } from '../projection/index.js';

/** Who may sign receipts: runners, and the signers that are none. */
@Injectable()
export class AttestProjector implements Projector {
  readonly tables = ['runner', 'signer'];

  async apply(tx: Database, event: ChainEvent): Promise<void> {
    const { seq, atMs, data } = event;
    switch (data.type) {
      case 'RunnerRegistered': {
        const { daoId, id, expiresAtMs, ...runner } = data.runner;
        const row = { ...runner, registeredAt: toDate(atMs), expiresAt: toDate(expiresAtMs), eventSeq: seq };
        await tx.runner.upsert({ where: { daoId_id: { daoId, id } }, create: { daoId, id, ...row }, update: row });
        return;
      }
      case 'RunnerWithdrawn': {
        const { daoId, runnerId: id } = data;
        await tx.runner.update({ where: { daoId_id: { daoId, id } }, data: { withdrawnAt: toDate(atMs) } });
        return;
      }
      case 'SignerRegistered': {
        const { daoId, id, signerKind, publicKeys, payTo } = data.signer;
        const row = { signerKind, publicKeys, payTo, registeredAt: toDate(atMs), withdrawnAt: null, eventSeq: seq };
        await tx.signer.upsert({ where: { daoId_id: { daoId, id } }, create: { daoId, id, ...row }, update: row });
        return;
      }
      case 'SignerWithdrawn': {
        const { daoId, signerId: id, withdrawnAtMs } = data;
        await tx.signer.update({ where: { daoId_id: { daoId, id } }, data: { withdrawnAt: toDate(withdrawnAtMs) } });
        return;
      }
      default:
    }
  }
}
