import { sign } from '@usufruct/crypto';
import {
  asAmount,
  asTimestampMs,
  type ContributionId,
  type DatasetId,
  type GrantId,
  type QuestionId,
} from '@usufruct/kernel';
import {
  appraisalPolicyDigest,
  LIMITS,
  runnerIdOf,
  TAGS,
  TreeHeadBcs,
  UsageReceiptBcs,
  type ChainAction,
} from '@usufruct/protocol';
import { DaoWorld, PRICE, PURPOSE } from '../testing/dao-world.js';
import { table, type Row } from '../testing/refusal-table.js';
import { bytesOf, digestOf, hexOf, signingKeyOf } from '../testing/world.js';
import { runnerKey } from './collections.js';
import { MINT_CAP_UNITS } from './money.js';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const zeros = (n: number) => new Uint8Array(n);
const at = (w: DaoWorld, deltaMs: number) => asTimestampMs(w.clock.nowMs() + deltaMs);

const ready = () => DaoWorld.ready();
const founded = () => new DaoWorld().found();

table('money', ready, [
  ['mint nothing', 'INVALID_ARGUMENT amountUnits', (w) => [w.stranger, w.mint(w.stranger, 0n)]],
  ['mint above the cap', 'INVALID_ARGUMENT amountUnits', (w) => [w.stranger, w.mint(w.stranger, MINT_CAP_UNITS + 1n)]],
  ['mint the cap', 'ok', (w) => [w.stranger, w.mint(w.stranger, MINT_CAP_UNITS)]],
  ['transfer nothing', 'INVALID_ARGUMENT amountUnits', (w) => [w.requester, transfer(w, 0n)]],
  ['transfer more than there is', 'INSUFFICIENT_BALANCE', (w) => [w.requester, transfer(w, 7n * PRICE + 1n)]],
  ['transfer all there is', 'ok', (w) => [w.requester, transfer(w, 7n * PRICE)]],
  [
    'two transfers of which the second is too much',
    'INSUFFICIENT_BALANCE',
    (w) => [w.requester, transfer(w, 7n * PRICE), transfer(w, 1n)],
  ],
  ['no action at all', 'INVALID_ARGUMENT actions', (w) => [w.requester]],
  [
    'too many actions',
    'INVALID_ARGUMENT actions',
    (w) => [w.stranger, ...Array.from({ length: LIMITS.actionsPerTransaction + 1 }, () => w.mint(w.stranger, 1n))],
  ],
]);

const member = (w: DaoWorld, i: number, key = w.holderKeys[i]!.publicKey) => ({
  operator: w.operators[i]!.address,
  signingPublicKey: key,
  sealingPublicKey: bytesOf(`sealing ${i}`),
});
table('holder sets', founded, [
  ['the same again', 'ALREADY_EXISTS', (w) => [w.founder, w.holderSet()]],
  ['the same salt by another', 'ok', (w) => [w.stranger, w.holderSet()]],
  ['no member', 'INVALID_ARGUMENT members', (w) => [w.founder, w.holderSet({ salt: hexOf('x'), members: [] })]],
  [
    'a threshold of none',
    'INVALID_ARGUMENT threshold',
    (w) => [w.founder, w.holderSet({ salt: hexOf('x'), threshold: 0 })],
  ],
  [
    'a threshold above all',
    'INVALID_ARGUMENT threshold',
    (w) => [w.founder, w.holderSet({ salt: hexOf('x'), threshold: 4 })],
  ],
  [
    'one signing key twice',
    'INVALID_ARGUMENT members',
    (w) => [
      w.founder,
      w.holderSet({ salt: hexOf('x'), members: [member(w, 0), member(w, 1, w.holderKeys[0]!.publicKey)] }),
    ],
  ],
  [
    'one sealing key twice',
    'INVALID_ARGUMENT members',
    (w) => {
      const twice = { ...member(w, 1), sealingPublicKey: bytesOf('sealing 0') };
      return [w.founder, w.holderSet({ salt: hexOf('x'), members: [member(w, 0), twice] })];
    },
  ],
  [
    'a zero key',
    'INVALID_ARGUMENT members.0.signingPublicKey',
    (w) => [w.founder, w.holderSet({ salt: hexOf('x'), members: [member(w, 0, zeros(32))], threshold: 1 })],
  ],
  [
    'a short key',
    'INVALID_ARGUMENT members.0.signingPublicKey',
    (w) => [w.founder, w.holderSet({ salt: hexOf('x'), members: [member(w, 0, zeros(31).fill(1))], threshold: 1 })],
  ],
]);

const dao = (changes: Parameters<DaoWorld['dao']>[0]) => (w: DaoWorld) => [w.founder, w.dao(changes, 'x')] as const;
const appraisal =
  (changes: object): Row[2] =>
  (w) =>
    dao({ appraisal: { ...w.policy().appraisal, ...changes } })(w);
table('DAOs', founded, [
  ['the same again', 'ALREADY_EXISTS', (w) => [w.founder, w.dao()]],
  ['another salt', 'ok', dao({})],
  [
    'a split of 9,999',
    'SPLIT_INVALID',
    dao({ split: { contributorsBps: 6999, treasuryBps: 2000, runnerBps: 800, protocolBps: 200 } }),
  ],
  [
    'a split of 10,001',
    'SPLIT_INVALID',
    dao({ split: { contributorsBps: 7001, treasuryBps: 2000, runnerBps: 800, protocolBps: 200 } }),
  ],
  ['an unknown holder set', 'NOT_FOUND', dao({ holderSetId: hexOf('nobody') })],
  ['no verifier', 'INVALID_ARGUMENT verifierThreshold', dao({ verifierThreshold: 0 })],
  ['more verifiers than members', 'INVALID_ARGUMENT verifierThreshold', dao({ verifierThreshold: 4 })],
  ['all members as verifiers', 'ok', dao({ verifierThreshold: 3 })],
  ['no purpose', 'INVALID_ARGUMENT purposes', dao({ purposes: [] })],
  ['a purpose in words', 'INVALID_ARGUMENT purposes', dao({ purposes: ['research'] })],
  ['a purpose twice', 'INVALID_ARGUMENT purposes', dao({ purposes: [PURPOSE, PURPOSE] })],
  ['no kind', 'INVALID_ARGUMENT kinds', dao({ kinds: [] })],
  ['no protection', 'INVALID_ARGUMENT protections', dao({ protections: [] })],
  ['no job term', 'INVALID_ARGUMENT maxJobTermMs', dao({ maxJobTermMs: 0 })],
  ['a job term above the limit', 'INVALID_ARGUMENT maxJobTermMs', dao({ maxJobTermMs: LIMITS.jobTermMs + 1 })],
  ['no measurement', 'INVALID_ARGUMENT appraisal.measurements', appraisal({ measurements: [] })],
  ['a measurement of zeros', 'INVALID_ARGUMENT appraisal.measurements', appraisal({ measurements: ['00'.repeat(48)] })],
  [
    'a measurement in capitals',
    'INVALID_ARGUMENT appraisal.measurements',
    appraisal({ measurements: ['AB'.repeat(48)] }),
  ],
  ['a short measurement', 'INVALID_ARGUMENT appraisal.measurements', appraisal({ measurements: ['ab'.repeat(31)] })],
  ['no profile', 'INVALID_ARGUMENT appraisal.profiles', appraisal({ profiles: [] })],
  ['results that never expire', 'INVALID_ARGUMENT appraisal.resultTermMs', appraisal({ resultTermMs: 0 })],
  ['a policy by a stranger', 'FORBIDDEN', (w) => [w.stranger, setPolicy(w, 1)]],
  ['a policy for an unknown DAO', 'NOT_FOUND', (w) => [w.founder, { ...setPolicy(w, 1), daoId: hexOf('nobody') }]],
  ['a policy on an old version', 'POLICY_OUTDATED', (w) => [w.founder, setPolicy(w, 0)]],
  ['a policy on the version seen', 'ok', (w) => [w.founder, setPolicy(w, 1)]],
  ['two policies on one version', 'POLICY_OUTDATED', (w) => [w.founder, setPolicy(w, 1), setPolicy(w, 1)]],
  [
    'a policy that is wrong',
    'INVALID_ARGUMENT verifierThreshold',
    (w) => [w.founder, setPolicy(w, 1, { verifierThreshold: 9 })],
  ],
  ['a dataset by a stranger', 'FORBIDDEN', (w) => [w.stranger, w.dataset({ salt: hexOf('x') })]],
  ['a dataset of an unknown DAO', 'NOT_FOUND', (w) => [w.founder, w.dataset({ daoId: hexOf('nobody') })]],
  ['the same dataset again', 'ALREADY_EXISTS', (w) => [w.founder, w.dataset()]],
]);

table('datasets and members', ready, [
  ['a dataset by an accepted contributor', 'ok', (w) => [w.contributors[0]!, w.dataset()]],
  ['a dataset by one who only asked', 'FORBIDDEN', (w) => [w.requester, w.dataset()]],
]);

const blob = (sizeBytes: number) => ({ blob: hexOf('part'), sizeBytes, endEpoch: 9 });
const contribute =
  (changes: Parameters<DaoWorld['contribution']>[0]): Row[2] =>
  (w) => [w.stranger, w.contribution(changes)];
table('contributions', ready, [
  ['a first one', 'ok', contribute({})],
  ['the same again', 'ALREADY_EXISTS', (w) => [w.contributors[0]!, w.contribution()]],
  ['to an unknown dataset', 'NOT_FOUND', contribute({ datasetId: hexOf('nobody') })],
  ['under another policy', 'POLICY_OUTDATED', contribute({ policyDigest: digestOf('other') })],
  ['for another holder set', 'INVALID_ARGUMENT holderSetId', contribute({ holderSetId: hexOf('other') })],
  ['without parts', 'INVALID_ARGUMENT parts', contribute({ parts: [] })],
  ['with an empty part', 'INVALID_ARGUMENT parts.0.sizeBytes', contribute({ parts: [blob(0)] })],
  [
    'with a part above the limit',
    'INVALID_ARGUMENT parts.0.sizeBytes',
    contribute({ parts: [blob(LIMITS.partBytes + 1)] }),
  ],
  [
    'with too many parts',
    'INVALID_ARGUMENT parts',
    contribute({ parts: Array.from({ length: LIMITS.partsPerContribution + 1 }, () => blob(1)) }),
  ],
  ['with an empty manifest', 'INVALID_ARGUMENT manifestBlob.sizeBytes', contribute({ manifestBlob: blob(0) })],
  ['decided by a stranger', 'FORBIDDEN', (w) => [w.stranger, w.decide(0)]],
  ['decided by its owner', 'FORBIDDEN', (w) => [w.contributors[0]!, w.decide(0)]],
  ['decided twice', 'ALREADY_DECIDED', (w) => [w.founder, w.decide(0, false)]],
  ['an unknown one decided', 'NOT_FOUND', (w) => [w.founder, { ...decide, contributionId: hexOf('nobody') }]],
]);

const purposes = (n: number) => Array.from({ length: n }, (_, i) => `DUO:${String(i).padStart(7, '0')}`);
const contributionOf = (w: DaoWorld) => ({ contributionId: extra(w).contributionId });
const granting =
  (terms: Parameters<DaoWorld['grant']>[1]): Row[2] =>
  (w) => [w.contributors[0]!, w.grant(0, terms, 'x')];
table('grants', ready, [
  ['a second grant', 'ok', granting({})],
  ['by another contributor', 'WRONG_WALLET', (w) => [w.contributors[1]!, w.grant(0)]],
  ['by the founder', 'WRONG_WALLET', (w) => [w.founder, w.grant(0)]],
  ['the same again', 'ALREADY_EXISTS', (w) => [w.contributors[0]!, w.grant(0)]],
  ['for no purpose', 'INVALID_ARGUMENT purposes', granting({ purposes: [] })],
  ['for a purpose in words', 'INVALID_ARGUMENT purposes', granting({ purposes: ['anything'] })],
  ['for no kind', 'INVALID_ARGUMENT kinds', granting({ kinds: [] })],
  ['for as many purposes as may be', 'ok', granting({ purposes: purposes(32) })],
  ['for one purpose more', 'INVALID_ARGUMENT purposes', granting({ purposes: purposes(33) })],
  [
    'for a contribution that was declined',
    'CONTRIBUTION_NOT_ACCEPTED',
    after(
      async (w) => [await addExtra(w), await w.run(w.founder, { ...decide, ...contributionOf(w), accept: false })],
      (w) => [w.stranger, { ...w.grant(0, {}, 'x'), ...contributionOf(w) } as ChainAction],
    ),
  ],
  ['for no protection', 'INVALID_ARGUMENT protections', granting({ protections: [] })],
  ['expired when given', 'GRANT_EXPIRED', (w) => granting({ expiresAtMs: w.clock.nowMs() })(w)],
  [
    'expiring in microseconds',
    'INVALID_ARGUMENT expiresAtMs',
    granting({ expiresAtMs: 1_800_000_000_000_000 as never }),
  ],
  ['revoked by the founder', 'WRONG_WALLET', (w) => [w.founder, revoke(w, 0)]],
  ['revoked by another contributor', 'WRONG_WALLET', (w) => [w.contributors[1]!, revoke(w, 0)]],
  ['revoked', 'ok', (w) => [w.contributors[0]!, revoke(w, 0)]],
  ['revoked twice', 'GRANT_REVOKED', (w) => [w.contributors[0]!, revoke(w, 0), revoke(w, 0)]],
  ['an unknown one revoked', 'NOT_FOUND', (w) => [w.stranger, { kind: 'revokeGrant', grantId: hexOf('nobody') }]],
]);

const register =
  (changes: Parameters<DaoWorld['statement']>[0], members?: number[], signers?: number[]): Row[2] =>
  async (w) => [w.runnerWallet, await w.registration(w.statement(changes), members, signers)];
table('runners', founded, [
  ['two of three holders', 'ok', register({})],
  ['all three holders', 'ok', register({}, [2, 0, 1])],
  ['one holder only', 'ATTESTATION_REFUSED verifiers', register({}, [1])],
  ['no holder', 'ATTESTATION_REFUSED verifiers', register({}, [])],
  ['one holder twice', 'INVALID_ARGUMENT signatures', register({}, [1, 1])],
  ['a holder in the name of another', 'SIGNATURE_INVALID', register({}, [0, 1], [0, 2])],
  ['a good majority and a bad signature', 'SIGNATURE_INVALID', register({}, [0, 1, 2], [0, 1, 1])],
  ['a member that does not exist', 'INVALID_ARGUMENT signatures.member', register({}, [0, 3], [0, 1])],
  ['for another chain', 'INVALID_ARGUMENT statement.chainId', register({ chainId: 'local:00000000' })],
  ['for another DAO', 'NOT_FOUND', register({ daoId: hexOf('nobody') })],
  ['for another policy', 'POLICY_OUTDATED', register({ appraisalPolicyDigest: digestOf('other') })],
  ['with a measurement not approved', 'ATTESTATION_REFUSED measurement', register({ measurement: 'cd'.repeat(48) })],
  ['with a profile not approved', 'ATTESTATION_REFUSED profile', register({ profile: 'tdx' })],
  ['expired', 'ATTESTATION_STALE expiresAtMs', (w) => register({ expiresAtMs: w.clock.nowMs() })(w)],
  ['issued within the skew', 'ok', (w) => register({ issuedAtMs: at(w, MINUTE_MS) })(w)],
  ['issued in the future', 'ATTESTATION_REFUSED issuedAtMs', (w) => register({ issuedAtMs: at(w, MINUTE_MS + 1) })(w)],
  [
    'for longer than a registration lasts',
    'ATTESTATION_REFUSED term',
    (w) => register({ expiresAtMs: at(w, LIMITS.runnerRegistrationTermMs + 1) })(w),
  ],
  ['with a zero signing key', 'INVALID_ARGUMENT statement.signingPublicKey', register({ signingPublicKey: zeros(32) })],
  ['with a zero HPKE key', 'INVALID_ARGUMENT statement.hpkePublicKey', register({ hpkePublicKey: zeros(32) })],
  ['with a short key', 'INVALID_ARGUMENT statement.hpkePublicKey', register({ hpkePublicKey: bytesOf('x').slice(1) })],
  [
    'a statement with a byte too many',
    'INVALID_ARGUMENT statement',
    async (w) => [w.runnerWallet, await w.registration(Uint8Array.of(...w.statement(), 0))],
  ],
  [
    'another payee than the holders signed for',
    'SIGNATURE_INVALID',
    async (w) => {
      const signed = await w.registration(w.statement());
      const statement = w.statement({ payTo: w.stranger.address });
      return [w.stranger, { ...(signed as ChainAction & { kind: 'registerRunner' }), statement }];
    },
  ],
  ['sent by a stranger: it names who is paid', 'ok', async (w) => [w.stranger, await w.registration(w.statement())]],
  [
    "for longer than the DAO's results last",
    'ATTESTATION_REFUSED term',
    async (w) => {
      const policy = w.policy({ appraisal: { ...w.policy().appraisal, resultTermMs: 10 * MINUTE_MS } });
      await w.run(w.founder, { kind: 'setPolicy', daoId: w.daoId, expectedVersion: 1, policy });
      const digest = appraisalPolicyDigest(policy.appraisal);
      return register({ appraisalPolicyDigest: digest, expiresAtMs: at(w, 10 * MINUTE_MS + 1) })(w);
    },
  ],
]);

const fund =
  (changes: Parameters<DaoWorld['job']>[0]): Row[2] =>
  (w) => [w.requester, w.job({ salt: hexOf('x'), ...changes })];
table('jobs', ready, [
  ['a second job', 'ok', fund({})],
  ['the same again', 'ALREADY_EXISTS', (w) => [w.requester, w.job()]],
  ['on an unknown dataset', 'NOT_FOUND', fund({ datasetId: hexOf('nobody') })],
  ['under an old policy', 'POLICY_OUTDATED', fund({ policyVersion: 0 })],
  ['under a policy yet to come', 'POLICY_OUTDATED', fund({ policyVersion: 2 })],
  [
    'one unit under the price',
    'INVALID_ARGUMENT pricePerQuestionUnits',
    fund({ pricePerQuestionUnits: asAmount(PRICE - 1n) }),
  ],
  [
    'one unit above the price',
    'INVALID_ARGUMENT pricePerQuestionUnits',
    fund({ pricePerQuestionUnits: asAmount(PRICE + 1n) }),
  ],
  ['for a purpose the DAO does not serve', 'PURPOSE_DENIED', fund({ purpose: 'DUO:0000006' })],
  ['for a kind the DAO does not serve', 'SCOPE_MISMATCH kind', fund({ computation: 'train' })],
  ['with a protection the DAO does not have', 'SCOPE_MISMATCH protection', fund({ protection: 'fhe' })],
  ['without questions', 'INVALID_ARGUMENT maxQuestions', fund({ maxQuestions: 0 })],
  ['with too many questions', 'INVALID_ARGUMENT maxQuestions', fund({ maxQuestions: LIMITS.questionsPerJob + 1 })],
  ['without time', 'INVALID_ARGUMENT termMs', fund({ termMs: 0 })],
  ['with the longest term', 'ok', fund({ termMs: 30 * MINUTE_MS })],
  ['with a longer term than the policy has', 'INVALID_ARGUMENT termMs', fund({ termMs: 30 * MINUTE_MS + 1 })],
  ['with a zero client key', 'INVALID_ARGUMENT clientPublicKey', fund({ clientPublicKey: zeros(32) })],
  ['with all the money there is', 'ok', fund({ maxQuestions: 7 })],
  ['with more than the balance', 'INSUFFICIENT_BALANCE', fund({ maxQuestions: 8 })],
  ['closed by a stranger', 'WRONG_WALLET', (w) => [w.stranger, { kind: 'closeJob', jobId: w.jobId }]],
  ['closed by the founder', 'WRONG_WALLET', (w) => [w.founder, { kind: 'closeJob', jobId: w.jobId }]],
  ['closed', 'ok', (w) => [w.requester, { kind: 'closeJob', jobId: w.jobId }]],
  ['closed twice', 'JOB_STATE', (w) => [w.requester, close(w), close(w)]],
  ['expired before its time', 'JOB_STATE', (w) => [w.stranger, { kind: 'expireJob', jobId: w.jobId }]],
  [
    'expired by anybody after its time',
    'ok',
    (w) => {
      w.clock.advance(10 * MINUTE_MS);
      return [w.stranger, { kind: 'expireJob', jobId: w.jobId }];
    },
  ],
  ['an unknown one expired', 'NOT_FOUND', (w) => [w.stranger, { kind: 'expireJob', jobId: hexOf('nobody') }]],
]);

type ReceiptChanges = Parameters<DaoWorld['settlement']>[1];
const settle =
  (changes: ReceiptChanges): Row[2] =>
  async (w) => [w.stranger, await w.settlement(w.uses(1n, 1n, null), changes)];
/** The receipt commits to these uses, but other ones are shown. */
const shown =
  (pick: (w: DaoWorld) => ReturnType<DaoWorld['uses']>): Row[2] =>
  async (w) => [w.stranger, { ...(await w.settlement(w.uses(1n, 1n, null))), uses: pick(w) }];
const committed =
  (pick: (w: DaoWorld) => ReturnType<DaoWorld['uses']>, changes: ReceiptChanges = {}): Row[2] =>
  async (w) => [w.stranger, await w.settlement(pick(w), changes)];
/** After the world was changed by transactions that must succeed. */
function after(change: (w: DaoWorld) => Promise<unknown>, send: Row[2]): Row[2] {
  return async (w) => {
    await change(w);
    return send(w);
  };
}

table('receipts: who signed what for which job', ready, [
  ['by anybody', 'ok', settle({})],
  ['of another chain', 'RECEIPT_INVALID chainId', settle({ chainId: 'local:00000000' })],
  ['of another package', 'RECEIPT_INVALID packageId', settle({ packageId: hexOf('other') })],
  ['of another registry', 'RECEIPT_INVALID registryId', settle({ registryId: hexOf('other') })],
  ['of an unknown job', 'NOT_FOUND', settle({ jobId: hexOf('nobody') })],
  ['of a signer kind not served', 'RECEIPT_INVALID signerKind', settle({ signerKind: 'fhe-host' })],
  [
    'signed by a key that is not registered',
    'RUNNER_NOT_REGISTERED registered',
    async (w) => {
      const other = signingKeyOf('other');
      return [w.stranger, await w.settlement(w.uses(1n), { signerPublicKey: other.publicKey }, other)];
    },
  ],
  [
    'signed by another key than it names',
    'RECEIPT_INVALID signature',
    async (w) => [w.stranger, await w.settlement(w.uses(1n), {}, signingKeyOf('other'))],
  ],
  [
    'signed for another use',
    'RECEIPT_INVALID signature',
    async (w) => {
      const settlement = await w.settlement(w.uses(1n));
      const { secretKey } = w.runnerKey;
      const signature = await sign({ secretKey, domainTag: TAGS.answer, message: settlement.receipt });
      return [w.stranger, { ...settlement, signature }];
    },
  ],
  [
    'changed after it was signed',
    'RECEIPT_INVALID signature',
    async (w) => {
      const receipt = w.receipt(w.uses(1n), { attributionMethod: 'other/v1' });
      const bytes = UsageReceiptBcs.serialize(receipt).toBytes();
      return [w.stranger, { ...(await w.settlement(w.uses(1n))), receipt: bytes }];
    },
  ],
  [
    'with a byte too many',
    'RECEIPT_INVALID encoding',
    async (w) => {
      const settlement = await w.settlement(w.uses(1n));
      return [w.stranger, { ...settlement, receipt: Uint8Array.of(...settlement.receipt, 0) }];
    },
  ],
  ['of a price one unit lower', 'RECEIPT_INVALID price', settle({ priceUnits: asAmount(PRICE - 1n) })],
  ['of a price one unit higher', 'RECEIPT_INVALID price', settle({ priceUnits: asAmount(PRICE + 1n) })],
  ['that used nothing and costs nothing', 'ok', committed(() => [])],
  ['that used nothing and has a price', 'RECEIPT_INVALID price', committed(() => [], { priceUnits: asAmount(PRICE) })],
]);

table('receipts: what was used', ready, [
  ['other weights than committed', 'RECEIPT_INVALID uses', shown((w) => w.uses(2n, 1n, null))],
  ['fewer than committed', 'RECEIPT_INVALID uses', shown((w) => w.uses(1n))],
  ['none of those committed', 'RECEIPT_INVALID uses', shown(() => [])],
  ['in descending order', 'RECEIPT_INVALID order', committed((w) => w.uses(1n, 1n, 1n).toReversed())],
  ['one twice', 'RECEIPT_INVALID order', committed((w) => [...w.uses(1n), ...w.uses(1n)])],
  ['all of no weight', 'RECEIPT_INVALID weights', committed((w) => w.uses(0n, 0n, null))],
  ['one of no weight', 'ok', committed((w) => w.uses(0n, 1n, null))],
  [
    'too many',
    'RECEIPT_INVALID count',
    committed((w) => Array.from({ length: LIMITS.usesPerReceipt + 1 }, () => w.uses(1n)[0]!)),
  ],
  ['an unknown contribution', 'NOT_FOUND', committed((w) => [{ ...w.uses(1n)[0]!, contributionId: hexOf('nobody') }])],
  ['under an unknown grant', 'GRANT_REQUIRED', committed((w) => [{ ...w.uses(1n)[0]!, grantId: hexOf('nobody') }])],
  [
    'under the grant of another contribution',
    'GRANT_REQUIRED',
    committed((w) => [{ ...w.uses(1n)[0]!, grantId: w.grantIds[1]! }]),
  ],
]);

/** Every row changes what the rows before it left, so each gets its own world. */
const fresh: readonly Row[] = [
  [
    'a contribution that was not decided',
    'CONTRIBUTION_NOT_ACCEPTED',
    after(
      (w) => addExtra(w),
      committed((w) => [{ ...w.uses(1n)[0]!, ...extra(w) }]),
    ),
  ],
  [
    'a contribution of another dataset',
    'DATASET_MISMATCH',
    after(
      (w) => addExtra(w, 'other'),
      committed((w) => [{ ...w.uses(1n)[0]!, ...extra(w, 'other') }]),
    ),
  ],
  ['a grant revoked before', 'GRANT_REVOKED', after((w) => w.run(w.contributors[0]!, revoke(w, 0)), settle({}))],
  [
    'a grant revoked after the receipt was issued',
    'ok',
    async (w) => {
      const settlement = await w.settlement(w.uses(1n));
      w.clock.advance(1);
      await w.run(w.contributors[0]!, revoke(w, 0));
      return [w.stranger, settlement];
    },
  ],
  ['a grant expired', 'GRANT_EXPIRED', useOf({ expiresAtMs: 1_800_000_000_001 as never }, 1)],
  ['a grant not yet expired', 'ok', useOf({ expiresAtMs: 1_800_000_000_002 as never }, 1)],
  ['a grant for another purpose', 'PURPOSE_DENIED', useOf({ purposes: ['DUO:0000006'] })],
  ['a grant for a broader purpose', 'ok', useOf({ purposes: ['DUO:0000004'] })],
  [
    'a grant with a condition that nothing here can check',
    'PURPOSE_DENIED',
    useOf({ purposes: [PURPOSE, 'DUO:0000018'] }),
  ],
  ['a grant for another kind', 'SCOPE_MISMATCH kind', useOf({ kinds: ['stats'] })],
  ['a grant for another protection', 'SCOPE_MISMATCH protection', useOf({ protections: ['mpc'] })],
  ['a price at the floor', 'ok', useOf({ priceFloorUnits: asAmount(PRICE) })],
  ['a price under the floor', 'PRICE_BELOW_FLOOR', useOf({ priceFloorUnits: asAmount(PRICE + 1n) })],
  ['a budget spent to the end', 'ok', useOf({ budgetMicroEpsilon: 5n }, 0, { budgetSpentMicroEpsilon: 5n })],
  ['a budget overspent', 'BUDGET_EXHAUSTED', useOf({ budgetMicroEpsilon: 5n }, 0, { budgetSpentMicroEpsilon: 6n })],
  [
    'a budget overspent by the second receipt',
    'BUDGET_EXHAUSTED',
    async (w) => {
      const spending = useOf({ budgetMicroEpsilon: 5n }, 0, { budgetSpentMicroEpsilon: 3n });
      await w.run(...(await spending(w)));
      const uses = w.uses(1n).map((use) => ({ ...use, grantId: grantIdOf(w, 'other terms') }));
      const changes = { budgetSpentMicroEpsilon: 3n, questionId: hexOf<QuestionId>('question 2') };
      return [w.stranger, await w.settlement(uses, changes)];
    },
  ],
  ['the same receipt again', 'RECEIPT_CONSUMED', after(settleOnce, settle({}))],
  [
    'another receipt for the same question',
    'RECEIPT_CONSUMED',
    after(
      settleOnce,
      committed((w) => w.uses(null, 1n)),
    ),
  ],
  [
    'the same receipt again after the job was closed',
    'RECEIPT_CONSUMED',
    after(async (w) => [await settleOnce(w), await w.run(w.requester, close(w))], settle({})),
  ],
  ['after the job was closed', 'JOB_STATE', after((w) => w.run(w.requester, close(w)), settle({}))],
  [
    'after the job was expired',
    'JOB_EXPIRED',
    async (w) => {
      const settlement = await w.settlement(w.uses(1n));
      w.clock.advance(10 * MINUTE_MS);
      await w.run(w.stranger, { kind: 'expireJob', jobId: w.jobId });
      return [w.stranger, settlement];
    },
  ],
  [
    'issued in time, settled after the term',
    'ok',
    async (w) => {
      w.clock.advance(10 * MINUTE_MS - 1);
      const settlement = await w.settlement(w.uses(1n));
      w.clock.advance(20 * MINUTE_MS);
      return [w.stranger, settlement];
    },
  ],
  [
    'issued at the end of the term',
    'JOB_EXPIRED',
    (w) => {
      w.clock.advance(10 * MINUTE_MS);
      return settle({})(w);
    },
  ],
  ['settled at the end of its freshness', 'ok', later(LIMITS.receiptFreshnessMs)],
  ['settled after its freshness', 'RECEIPT_INVALID freshness', later(LIMITS.receiptFreshnessMs + 1)],
  ['issued within the skew', 'ok', (w) => settle({ issuedAtMs: at(w, MINUTE_MS) })(w)],
  ['issued in the future', 'RECEIPT_INVALID issuedAtMs', (w) => settle({ issuedAtMs: at(w, MINUTE_MS + 1) })(w)],
  ['issued before the job', 'RECEIPT_INVALID issuedAtMs', (w) => settle({ issuedAtMs: at(w, -MINUTE_MS - 1) })(w)],
  [
    'by a runner whose registration ended',
    'RUNNER_NOT_REGISTERED expired',
    async (w) => {
      w.clock.advance(999 * MINUTE_MS);
      await w.run(w.requester, w.job({ salt: hexOf('late') }));
      w.clock.advance(MINUTE_MS);
      return settle({ jobId: w.derive('job', w.datasetId, w.requester, 'late') })(w);
    },
  ],
  [
    'by a runner whose measurement was withdrawn',
    'RUNNER_NOT_REGISTERED measurement',
    after(
      (w) =>
        w.run(w.founder, setPolicy(w, 1, { appraisal: { ...w.policy().appraisal, measurements: ['cd'.repeat(48)] } })),
      settle({}),
    ),
  ],
  [
    'by a runner whose profile was withdrawn',
    'RUNNER_NOT_REGISTERED profile',
    after(
      (w) => w.run(w.founder, setPolicy(w, 1, { appraisal: { ...w.policy().appraisal, profiles: ['tdx'] } })),
      settle({}),
    ),
  ],
  [
    'a question beyond the last',
    'JOB_STATE',
    async (w) => {
      for (const n of [1, 2, 3]) {
        await w.run(w.stranger, await w.settlement(w.uses(1n), { questionId: hexOf<QuestionId>(`question ${n}`) }));
      }
      return [w.stranger, await w.settlement(w.uses(1n), { questionId: hexOf<QuestionId>('question 4') })];
    },
  ],
];
describe('receipts: one after the other', () => {
  it.each(fresh)('%s: %s', async (_name, refusal, send) => {
    const world = await DaoWorld.ready();
    const [signer, ...actions] = await send(world);
    const before = world.store.lastSeq;
    expect(await world.refusal(signer, ...actions)).toBe(refusal);
    expect(world.store.lastSeq > before).toBe(refusal === 'ok');
  });
});

const anchor =
  (changes: Partial<Head> = {}, options: { member?: number; by?: number; key?: number } = {}): Row[2] =>
  async (w) => {
    const { member: index = 0, by = index, key = index } = options;
    return [w.operators[by]!, await treeHead(w, index, changes, key)];
  };
const grown: Row[2] = async (w) => [w.operators[0]!, await treeHead(w, 0, { treeSize: 5, rootHash: digestOf('5') })];
table('tree heads', founded, [
  ['a first one', 'ok', anchor()],
  ['by another operator', 'WRONG_WALLET', anchor({}, { by: 1 })],
  ['signed by another member', 'SIGNATURE_INVALID', anchor({}, { key: 1 })],
  ['of another set', 'INVALID_ARGUMENT treeHead', anchor({ holderSetId: hexOf('other') })],
  ['of another member', 'INVALID_ARGUMENT treeHead', anchor({ member: 1 })],
  ['from the future', 'INVALID_ARGUMENT treeHead.atMs', (w) => anchor({ atMs: at(w, MINUTE_MS + 1) })(w)],
  ['of a larger tree', 'ok', after(async (w) => w.run(...(await anchor()(w))), grown)],
  ['the same again', 'ok', after(async (w) => w.run(...(await grown(w))), grown)],
]);
describe('registrations: one after the other', () => {
  it('keeps the newer one when a stranger sends the older one again', async () => {
    const w = await founded();
    const older = await w.registration(w.statement({ payTo: w.requester.address }));
    await w.run(w.runnerWallet, older);
    w.clock.advance(MINUTE_MS);
    await w.run(w.runnerWallet, await w.registration(w.statement()));
    const registered = () => w.store.read('runner', runnerKey(w.daoId, runnerIdOf(w.runnerKey.publicKey)));
    const newer = registered();
    expect(newer).toMatchObject({ payTo: w.runnerWallet.address, expiresAtMs: at(w, 1_000 * MINUTE_MS) });
    expect((await w.run(w.stranger, older)).events).toEqual([]);
    expect(registered()).toEqual(newer);
  });
});

describe('tree heads that take something back', () => {
  it.each([
    ['a smaller tree', 'INVALID_ARGUMENT treeSize', { treeSize: 4, rootHash: digestOf('4') }],
    ['another root for the same size', 'INVALID_ARGUMENT rootHash', { treeSize: 5, rootHash: digestOf('other') }],
  ])('%s: %s', async (_name, refusal, head) => {
    const world = await founded();
    await world.run(...(await grown(world)));
    expect(await world.refusal(world.operators[0]!, await treeHead(world, 0, head))).toBe(refusal);
  });
});

// What the rows are made of.

const decide = { kind: 'decideContribution', accept: true } as const;
const transfer = (w: DaoWorld, units: bigint): ChainAction => ({
  kind: 'transfer',
  to: w.stranger.address,
  amountUnits: asAmount(units),
});
function setPolicy(w: DaoWorld, expectedVersion: number, changes: Parameters<DaoWorld['policy']>[0] = {}) {
  return { kind: 'setPolicy', daoId: w.daoId, expectedVersion, policy: w.policy(changes) } as const;
}
function revoke(w: DaoWorld, index: number): ChainAction {
  return { kind: 'revokeGrant', grantId: w.grantIds[index]! };
}
function close(w: DaoWorld): ChainAction {
  return { kind: 'closeJob', jobId: w.jobId };
}
async function settleOnce(w: DaoWorld) {
  return w.run(w.stranger, await w.settlement(w.uses(1n, 1n, null)));
}
/** Settle a receipt that is this old, of a job that runs as long as it may. */
function later(ageMs: number): Row[2] {
  return async (w) => {
    const settlement = await w.settlement(w.uses(1n));
    w.clock.advance(ageMs);
    return [w.stranger, settlement];
  };
}

/** Use the first contribution under a second grant with these terms, some time after it was given. */
function useOf(terms: Parameters<DaoWorld['grant']>[1], afterMs = 0, changes: ReceiptChanges = {}): Row[2] {
  return async (w) => {
    await w.run(w.contributors[0]!, w.grant(0, terms, 'other terms'));
    w.clock.advance(afterMs);
    const uses = w.uses(1n).map((use) => ({ ...use, grantId: grantIdOf(w, 'other terms') }));
    return [w.stranger, await w.settlement(uses, changes)];
  };
}
function grantIdOf(w: DaoWorld, salt: string) {
  return w.derive<GrantId>('grant', w.contributionIds[0]!, w.contributors[0]!, salt);
}

/** A contribution that is registered and granted by a stranger, and not accepted. */
async function addExtra(w: DaoWorld, dataset?: string) {
  const datasetId = extraDataset(w, dataset);
  if (dataset !== undefined) await w.run(w.founder, w.dataset({ salt: hexOf(dataset) }));
  const { contributionId } = extra(w, dataset);
  await w.run(w.stranger, w.contribution({ datasetId }), { ...w.grant(0), contributionId } as ChainAction);
}
function extra(w: DaoWorld, dataset?: string) {
  const contributionId = w.derive<ContributionId>('contribution', extraDataset(w, dataset), w.stranger, 'contribution');
  return { contributionId, grantId: w.derive<GrantId>('grant', contributionId, w.stranger, 'grant') };
}
function extraDataset(w: DaoWorld, dataset?: string) {
  return dataset === undefined ? w.datasetId : w.derive<DatasetId>('dataset', w.daoId, w.founder, dataset);
}

type Head = ReturnType<typeof TreeHeadBcs.parse>;
async function treeHead(w: DaoWorld, index: number, changes: Partial<Head>, key = index): Promise<ChainAction> {
  const head = TreeHeadBcs.serialize({
    holderSetId: w.holderSetId,
    member: index,
    treeSize: 1,
    rootHash: digestOf('1'),
    atMs: w.clock.nowMs(),
    ...changes,
  }).toBytes();
  const { secretKey } = w.holderKeys[key]!;
  const signature = await sign({ secretKey, domainTag: TAGS.treeHead, message: head });
  return { kind: 'anchorTreeHead', holderSetId: w.holderSetId, member: index, treeHead: head, signature };
}
