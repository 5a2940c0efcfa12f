import { describe, expect, it } from '@jest/globals';
import { generateSigningKey, sign } from '@usufruct/crypto';
import { toBase64, type ContributionId, type JobId } from '@usufruct/kernel';
import { contributionListDigest, ReleaseRequestBcs, TAGS, toWireJson, type Anomaly } from '@usufruct/protocol';
import { aDao, aHolderSet, FakeChain, idOf, seededRandom, TEST_NOW_MS, testChainInfo } from '@usufruct/testing';
import { anomaliesOf } from './anomalies.js';
import type { ClientContext } from './context.js';

const runner = generateSigningKey(seededRandom('runner'));
const JOB = idOf<JobId>('job');
const DAO = aDao();
const set = aHolderSet();

async function anomaly(changes: Partial<Anomaly> = {}, signed: { chainId?: string; jobId?: JobId } = {}) {
  const message = ReleaseRequestBcs.serialize({
    chainId: signed.chainId ?? testChainInfo().chainId,
    jobId: signed.jobId ?? JOB,
    challenge: new Uint8Array(32),
    asked: contributionListDigest([idOf<ContributionId>('foreign')]),
  }).toBytes();
  const signature = await sign({ secretKey: runner.secretKey, domainTag: TAGS.releaseRequest, message });
  const one: Anomaly = {
    jobId: JOB,
    daoId: DAO.id,
    datasetId: idOf('dataset'),
    runnerSigningKey: toBase64(runner.publicKey),
    measurement: 'ab'.repeat(48),
    reason: 'other-dataset',
    times: 2,
    firstAtMs: TEST_NOW_MS,
    lastAtMs: TEST_NOW_MS,
    request: toBase64(message),
    signature: toBase64(signature),
  };
  return { ...one, ...changes };
}

/** The members of the set, of which each says what is given here; null for one that is away. */
function contextOf(said: readonly (readonly Anomaly[] | null)[]): ClientContext {
  const chain = new FakeChain().put('dao', DAO).put('holder-set', set);
  const fetch = async (input: string): Promise<Response> => {
    const url = new URL(input);
    const member = Number(url.hostname.replace('holder-', ''));
    const { operator, signingPublicKey, sealingPublicKey } = set.members[member]!;
    const { chainId } = testChainInfo();
    if (said[member] === null) throw new TypeError('fetch failed');
    const identity = { operator, signingPublicKey, sealingPublicKey, chainId, standIns: [] };
    if (url.pathname === '/v1/anomalies') expect(url.searchParams.get('daoId')).toBe(DAO.id);
    return new Response(toWireJson(url.pathname === '/v1/identity' ? identity : { anomalies: said[member] }));
  };
  const holders = said.map((_, member) => ({ url: `http://holder-${member}` }));
  const context: Partial<ClientContext> = { chain, fetch, holders };
  return context as ClientContext;
}

describe('what runners asked for that no job can need', () => {
  it('is read from every key holder, and one that is away hides nothing of the others', async () => {
    const found = await anomaliesOf(contextOf([[await anomaly()], [], null]), DAO.id);
    expect(found).toMatchObject([
      { member: 0, anomalies: [{ reason: 'other-dataset', times: 2 }], unproven: 0, error: null },
      { member: 1, anomalies: [], unproven: 0, error: null },
      { member: 2, anomalies: [], error: { code: 'UPSTREAM_UNAVAILABLE' } },
    ]);
  });

  const rows: [string, () => Promise<Anomaly>][] = [
    ['without a signature', () => anomaly({ signature: toBase64(new Uint8Array(64)) })],
    ['in the name of another runner', () => anomaly({ runnerSigningKey: toBase64(new Uint8Array(32).fill(7)) })],
    ['for another job than was signed', () => anomaly({ jobId: idOf<JobId>('another') })],
    ['signed for another chain', () => anomaly({}, { chainId: 'sui:mainnet' })],
    ['of another DAO', () => anomaly({ daoId: idOf('another') })],
    ['about no request', () => anomaly({ request: toBase64(Uint8Array.of(1)) })],
  ];
  it.each(rows)('is nobody’s word %s', async (_name, made) => {
    const [first] = await anomaliesOf(contextOf([[await made(), await anomaly()], [], []]), DAO.id);
    expect(first).toMatchObject({ anomalies: [{ jobId: JOB }], unproven: 1 });
  });
});
