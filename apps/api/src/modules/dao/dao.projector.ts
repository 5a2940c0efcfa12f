import { Injectable } from '@nestjs/common';
import type { ChainEvent, DaoView } from '@usufruct/protocol';
import { toDate, toJson, type Database } from '../../platform/prisma/index.js';
import type { Projector } from '../projection/index.js';

@Injectable()
export class DaoProjector implements Projector {
  readonly tables = ['dao', 'dataset', 'policy_version', 'measurement'];

  async apply(tx: Database, event: ChainEvent): Promise<void> {
    const { seq, atMs, data } = event;
    switch (data.type) {
      case 'DaoCreated':
        return created(tx, event, data.dao);
      case 'PolicySet': {
        const { daoId, version, policy, policyDigest } = data;
        await tx.dao.update({
          where: { id: daoId },
          data: { policyVersion: version, policy: toJson(policy), policyDigest },
        });
        return setPolicy(tx, event, { id: daoId, policyVersion: version, policy, policyDigest });
      }
      case 'DatasetCreated': {
        const { id, daoId, metadataHash } = data.dataset;
        const answerRules = toJson(data.dataset.answerRules);
        await tx.dataset.create({
          data: { id, daoId, metadataHash, answerRules, createdAt: toDate(atMs), eventSeq: seq },
        });
        return;
      }
      case 'AnswerRulesSet': {
        const { datasetId, answerRules } = data;
        await tx.dataset.update({ where: { id: datasetId }, data: { answerRules: toJson(answerRules) } });
        return;
      }
      case 'DatasetTombstoned': {
        const { datasetId, tombstonedAtMs } = data;
        await tx.dataset.update({ where: { id: datasetId }, data: { tombstonedAt: toDate(tombstonedAtMs) } });
        return;
      }
      default:
        return follow(tx, event);
    }
  }
}

/** What sets one field of the DAO. */
async function follow(tx: Database, { data }: ChainEvent): Promise<void> {
  switch (data.type) {
    case 'GovernanceSet':
      await tx.dao.update({ where: { id: data.daoId }, data: { governance: toJson(data.governance) } });
      return;
    case 'PayoutRulesSet':
      await tx.dao.update({ where: { id: data.daoId }, data: { payoutRules: toJson(data.payoutRules) } });
      return;
    case 'DaoPaused':
    case 'DaoUnpaused':
      await tx.dao.update({ where: { id: data.daoId }, data: { paused: data.type === 'DaoPaused' } });
      return;
    case 'ProposalCreated': {
      const { daoId, number } = data.proposal;
      await tx.dao.update({ where: { id: daoId }, data: { proposalCount: number } });
      return;
    }
    default:
  }
}

async function created(tx: Database, event: ChainEvent, dao: DaoView): Promise<void> {
  const { id, founder, treasury, metadataHash, policyVersion, policyDigest, paused, proposalCount } = dao;
  await tx.dao.create({
    data: {
      id,
      founder,
      treasury,
      metadataHash,
      policyVersion,
      policy: toJson(dao.policy),
      policyDigest,
      governance: toJson(dao.governance),
      payoutRules: toJson(dao.payoutRules),
      paused,
      proposalCount,
      createdAt: toDate(event.atMs),
      eventSeq: event.seq,
    },
  });
  await setPolicy(tx, event, dao);
}

type PolicyOf = Pick<DaoView, 'id' | 'policyVersion' | 'policy' | 'policyDigest'>;

async function setPolicy(tx: Database, event: ChainEvent, dao: PolicyOf): Promise<void> {
  const { id: daoId, policyVersion: version, policy, policyDigest } = dao;
  const at = toDate(event.atMs);
  await tx.policyVersion.create({
    data: {
      daoId,
      version,
      policy: toJson(policy),
      policyDigest,
      setBy: event.sender,
      transaction: event.transaction,
      setAt: at,
      eventSeq: event.seq,
    },
  });
  const { measurements } = policy.appraisal;
  await tx.measurement.updateMany({
    where: { daoId, withdrawnVersion: null, measurement: { notIn: measurements } },
    data: { withdrawnVersion: version, withdrawnAt: at },
  });
  const approved = { approvedVersion: version, approvedAt: at, withdrawnVersion: null, withdrawnAt: null };
  await tx.measurement.updateMany({
    where: { daoId, withdrawnVersion: { not: null }, measurement: { in: measurements } },
    data: approved,
  });
  await tx.measurement.createMany({
    data: measurements.map((measurement) => ({ daoId, measurement, ...approved })),
    skipDuplicates: true,
  });
}
