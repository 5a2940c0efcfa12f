import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ContributionId, GrantId } from '@usufruct/kernel';
import { aContribution, aDao, aDataset, aGrant, aJob, FakeChain, idOf, TEST_NOW_MS } from '@usufruct/testing';
import { allowedContributions } from './consent.js';

const [kept, other] = ['kept', 'other'].map((name) => idOf<ContributionId>(name)) as [ContributionId, ContributionId];
const contributions = [aContribution({ id: kept }), aContribution({ id: other })];
let chain: FakeChain;
beforeEach(() => {
  chain = new FakeChain().put('dataset', aDataset());
  for (const { id } of contributions)
    chain.put('grant', aGrant({ id: idOf<GrantId>(`grant ${id}`), contributionId: id }));
});
const allowed = async (of = contributions) => {
  const job = aJob();
  const dataset = await chain.dataset(job.datasetId);
  return allowedContributions({ chain }, { job, dao: aDao(), dataset }, of, TEST_NOW_MS);
};

describe('what a job may use', () => {
  it('is what was granted', async () => {
    const { grants, refused } = await allowed();
    expect([[...grants.keys()], [...refused]]).toEqual([[kept, other], []]);
  });

  it('leaves a retired contribution out, with the code', async () => {
    const { grants, refused } = await allowed([
      contributions[0]!,
      aContribution({ id: other, tombstonedAtMs: TEST_NOW_MS }),
    ]);
    expect([[...grants.keys()], [...refused]]).toEqual([[kept], [[other, 'TOMBSTONED']]]);
  });

  it('is nothing of a retired dataset, whatever was granted', async () => {
    chain.put('dataset', aDataset({ tombstonedAtMs: TEST_NOW_MS }));
    const { grants, refused } = await allowed();
    expect([...grants]).toEqual([]);
    expect([...refused.values()]).toEqual(['TOMBSTONED', 'TOMBSTONED']);
  });
});
