import type { WalletSigner } from '@usufruct/chain';
import { asTimestampMs, refuse, toBase64, type Address, type Digest } from '@usufruct/kernel';
import {
  daoPolicyDigest,
  deriveId,
  type BlobReference,
  type ChainAction,
  type DaoView,
  type JobView,
} from '@usufruct/protocol';
import { FakeChain } from './fake-chain.js';
import { idOf, TEST_NOW_MS } from './values.js';

/**
 * A `FakeChain` that does what transactions say, without rules of money or rights: objects appear under the ids that
 * the real chain gives them, and an id that is taken is refused with `ALREADY_EXISTS`.
 */
export function actingChain(): FakeChain {
  const chain = new FakeChain();
  const senders = new Map<Digest, Address>();
  const { prepare, send } = chain;
  chain.prepare = async (actions, signer: WalletSigner) => {
    const prepared = await prepare(actions, signer);
    senders.set(prepared.digest, signer.address);
    return prepared;
  };
  chain.send = async (transaction) => {
    const before = chain.executed.length;
    const outcome = await send(transaction);
    const sender = senders.get(transaction.digest);
    if (chain.executed.length > before && sender !== undefined) {
      for (const action of chain.executed.at(-1)!) await act(chain, action, sender);
    }
    return outcome;
  };
  return chain;
}

async function act(chain: FakeChain, action: ChainAction, sender: Address): Promise<void> {
  switch (action.kind) {
    case 'createHolderSet': {
      const id = await fresh(chain.holderSet, deriveId('holder-set', null, sender, action.salt));
      const members = action.members.map((member) => ({
        operator: member.operator,
        signingPublicKey: toBase64(member.signingPublicKey),
        sealingPublicKey: toBase64(member.sealingPublicKey),
      }));
      chain.put('holder-set', { id, members, threshold: action.threshold, version: 1, tombstonedKeys: [] });
      return;
    }
    case 'createDao': {
      const id = await fresh(chain.dao, deriveId('dao', null, sender, action.salt));
      chain.put('dao', {
        id,
        founder: sender,
        treasury: idOf('treasury'),
        policyVersion: 1,
        policy: structuredClone(action.policy) as DaoView['policy'],
        policyDigest: daoPolicyDigest(action.policy),
        metadataHash: action.metadataHash,
        members: [sender],
        governance: action.governance,
        payoutRules: action.payoutRules,
        paused: false,
        proposalCount: 0,
      });
      return;
    }
    case 'createDataset': {
      const { daoId, metadataHash, answerRules } = action;
      const id = await fresh(chain.dataset, deriveId('dataset', daoId, sender, action.salt));
      chain.put('dataset', { id, daoId, metadataHash, contributionCount: 0, answerRules, tombstonedAtMs: null });
      return;
    }
    case 'setAnswerRules': {
      const { datasetId, answerRules } = action;
      chain.put('dataset', { ...(await chain.dataset(datasetId)), answerRules });
      return;
    }
    case 'registerContribution': {
      const { kind: _kind, salt, ...registered } = action;
      const id = await fresh(chain.contribution, deriveId('contribution', action.datasetId, sender, salt));
      chain.put('contribution', { ...registered, id, owner: sender, state: 'proposed', tombstonedAtMs: null });
      return;
    }
    case 'decideContribution': {
      const view = await chain.contribution(action.contributionId);
      chain.put('contribution', { ...view, state: action.accept ? 'accepted' : 'declined' });
      return;
    }
    case 'tombstoneContribution': {
      const view = await chain.contribution(action.contributionId);
      chain.put('contribution', { ...view, tombstonedAtMs: TEST_NOW_MS });
      return;
    }
    case 'renewLease': {
      const view = await chain.contribution(action.contributionId);
      const ends = new Map(action.renewals.map(({ blob, endEpoch }) => [blob, endEpoch]));
      const renew = (reference: BlobReference): BlobReference => ({
        ...reference,
        endEpoch: ends.get(reference.blob) ?? reference.endEpoch,
      });
      chain.put('contribution', { ...view, manifestBlob: renew(view.manifestBlob), parts: view.parts.map(renew) });
      return;
    }
    case 'giveGrant': {
      const { contributionId, terms } = action;
      const id = await fresh(chain.grant, deriveId('grant', contributionId, sender, action.salt));
      const copy = {
        ...terms,
        purposes: [...terms.purposes],
        kinds: [...terms.kinds],
        protections: [...terms.protections],
      };
      chain.put('grant', {
        id,
        contributionId,
        grantor: sender,
        terms: copy,
        givenAtMs: TEST_NOW_MS,
        revokedAtMs: null,
      });
      return;
    }
    case 'revokeGrant': {
      chain.put('grant', { ...(await chain.grant(action.grantId)), revokedAtMs: TEST_NOW_MS });
      return;
    }
    case 'fundJob': {
      chain.put('job', await fundedJob(chain, action, sender));
      return;
    }
    case 'closeJob': {
      chain.put('job', { ...(await chain.job(action.jobId)), state: 'cancelled' });
      return;
    }
    default:
      throw refuse('INVALID_ARGUMENT', { field: 'action', expected: 'one that the acting chain knows' });
  }
}

type FundJob = Extract<ChainAction, { kind: 'fundJob' }>;
async function fundedJob(chain: FakeChain, action: FundJob, sender: Address): Promise<JobView> {
  const { datasetId, purpose, computation, protection, policyVersion, pricePerQuestionUnits, maxQuestions } = action;
  const { daoId } = await chain.dataset(datasetId);
  const dao = await chain.dao(daoId);
  return {
    id: await fresh(chain.job, deriveId('job', datasetId, sender, action.salt)),
    daoId,
    datasetId,
    requester: sender,
    purpose,
    kind: computation,
    protection,
    policyVersion,
    pricePerQuestionUnits,
    split: dao.policy.split,
    payoutMode: dao.payoutRules.mode,
    maxQuestions,
    questionsSettled: 0,
    escrowUnits: (pricePerQuestionUnits * BigInt(maxQuestions)) as JobView['escrowUnits'],
    clientPublicKey: toBase64(action.clientPublicKey),
    state: 'funded',
    fundedAtMs: TEST_NOW_MS,
    expiresAtMs: asTimestampMs(TEST_NOW_MS + action.termMs),
  };
}

async function fresh<Id>(read: (id: Id) => Promise<unknown>, id: Id): Promise<Id> {
  const taken = await read(id).then(
    () => true,
    () => false,
  );
  if (taken) throw refuse('ALREADY_EXISTS');
  return id;
}
