import { Inject, Injectable } from '@nestjs/common';
import type { AppraisalDesk } from '@usufruct/attestation';
import {
  asId,
  fromBase64,
  refuse,
  type Address,
  type Clock,
  type DaoId,
  type Hex32,
  type JobId,
  type RunnerId,
} from '@usufruct/kernel';
import { appraisalPolicyDigest, parseAnswer, runnerIdOf, toWireJson, zSignerView } from '@usufruct/protocol';
import { globalId, groupBy, type Loaders } from '../../platform/graphql/index.js';
import { PrismaService, toMs, toMsOrNull } from '../../platform/prisma/index.js';
import type { Runner, Signer } from '../../platform/prisma/generated/client.js';
import { APPRAISAL_DESK, CLOCK } from '../../platform/tokens.js';
import { DaoService } from '../dao/index.js';
import { JobDispatch, JobService, RunnerClient } from '../job/index.js';
import type { Attestation, RunnerType, SignerType } from './attest.types.js';

const NONCE_BYTES = 32;

@Injectable()
export class AttestService {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(APPRAISAL_DESK) private readonly desk: AppraisalDesk,
    private readonly prisma: PrismaService,
    private readonly daos: DaoService,
    private readonly jobs: JobService,
    private readonly dispatch: JobDispatch,
    private readonly runnerClient: RunnerClient,
  ) {}

  /** Of a DAO, in order of registration, those that have expired included. */
  async runnersOf(loaders: Loaders, daoId: DaoId): Promise<RunnerType[]> {
    const rows = await loaders.load('runners', daoId, async (ids) =>
      groupBy(
        await this.prisma.runner.findMany({ where: { daoId: { in: [...ids] } }, orderBy: { eventSeq: 'asc' } }),
        (row) => row.daoId,
      ),
    );
    return (rows ?? []).map((row) => toRunner(row, this.desk.isStandIn(row.profile)));
  }
  async runner(loaders: Loaders, daoId: DaoId, runnerId: RunnerId): Promise<RunnerType | null> {
    return (await this.runnersOf(loaders, daoId)).find((runner) => runner.runnerId === runnerId) ?? null;
  }
  async runnerOfDataset(loaders: Loaders, datasetId: Hex32, runnerId: Hex32): Promise<RunnerType | null> {
    const dataset = await this.daos.dataset(loaders, asId(datasetId, 'datasetId'));
    return dataset === null ? null : this.runner(loaders, dataset.daoId, asId(runnerId, 'runnerId'));
  }

  /** Of a DAO, in order of registration, those that were withdrawn included. */
  async signersOf(loaders: Loaders, daoId: DaoId): Promise<SignerType[]> {
    const rows = await loaders.load('signers', daoId, async (ids) =>
      groupBy(
        await this.prisma.signer.findMany({ where: { daoId: { in: [...ids] } }, orderBy: { eventSeq: 'asc' } }),
        (row) => row.daoId,
      ),
    );
    return (rows ?? []).map(toSigner);
  }
  async signer(loaders: Loaders, daoId: DaoId, signerId: Hex32): Promise<SignerType | null> {
    return (await this.signersOf(loaders, daoId)).find((signer) => signer.signerId === signerId) ?? null;
  }

  async isCurrent(loaders: Loaders, runner: RunnerType): Promise<boolean> {
    const dao = await this.daos.daoView(loaders, runner.daoId);
    const approved = appraisalPolicyDigest(dao.policy.appraisal) === runner.appraisalPolicyDigest;
    return approved && runner.withdrawnAtMs === null && this.clock.nowMs() < runner.expiresAtMs;
  }

  /** Fresh evidence for the caller's own nonce: only the caller can tell whether it convinces. */
  async attestation(requester: Address, jobId: JobId, nonce: string): Promise<Attestation> {
    const bytes = fromBase64(nonce, 'nonce');
    if (bytes.length !== NONCE_BYTES) {
      throw refuse('INVALID_ARGUMENT', { field: 'nonce', expected: `${NONCE_BYTES} bytes` });
    }
    await this.jobs.requireOwn(requester, jobId);
    const bundle = await this.dispatch.atRunner(jobId, (url) => this.runnerClient.attestation(url, jobId, bytes));
    const runnerId = runnerIdOf<RunnerId>(fromBase64(bundle.signingPublicKey, 'signingPublicKey'));
    const asked = { jobId, nonce: bytes, evidence: bundle };
    return { __typename: 'Attestation', runnerId, bundle: toWireJson(bundle), asked };
  }
}

function toRunner(row: Runner, standIn: boolean): RunnerType {
  const runnerId = asId<RunnerId>(row.id, 'runnerId');
  const daoId = asId<DaoId>(row.daoId, 'daoId');
  return {
    __typename: 'Runner',
    id: globalId('Runner', daoId, runnerId),
    runnerId,
    daoId,
    profile: row.profile,
    measurement: row.measurement,
    signingPublicKey: row.signingPublicKey,
    hpkePublicKey: row.hpkePublicKey,
    appraisalPolicyDigest: asId(row.appraisalPolicyDigest, 'appraisalPolicyDigest'),
    payTo: asId(row.payTo, 'payTo'),
    registeredAtMs: toMs(row.registeredAt),
    expiresAtMs: toMs(row.expiresAt),
    withdrawnAtMs: toMsOrNull(row.withdrawnAt),
    standIn,
  };
}

function toSigner(row: Signer): SignerType {
  const view = parseAnswer(zSignerView, { ...row, withdrawnAtMs: toMsOrNull(row.withdrawnAt) }, 'projection');
  const { id: signerId, ...signer } = view;
  return {
    __typename: 'Signer',
    id: globalId('Signer', view.daoId, signerId),
    signerId,
    ...signer,
    registeredAtMs: toMs(row.registeredAt),
  };
}
