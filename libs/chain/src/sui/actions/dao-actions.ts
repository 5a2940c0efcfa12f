import { RunnerStatementBcs } from '@usufruct/protocol';
import { call, pure, readSigned, type Builder } from './building.js';
import { objectsOf } from './objects-of.js';
import { governanceValue, payoutRulesValue, policyValue } from './values.js';

export const createHolderSet: Builder<'createHolderSet'> = (building, { salt, members, threshold }) => {
  const { u8, address, addresses, byteLists } = pure(building);
  call(building, 'holder_set::create', [
    objectsOf(building).registry(),
    address(salt),
    addresses(members.map(({ operator }) => operator)),
    byteLists(members.map(({ signingPublicKey }) => signingPublicKey)),
    byteLists(members.map(({ sealingPublicKey }) => sealingPublicKey)),
    u8(threshold),
  ]);
};

/** The founder keeps the DAO's only PauseCap. */
export const createDao: Builder<'createDao'> = (building, action) => {
  const { salt, policy, metadataHash, governance, payoutRules } = action;
  const { tx, settings, sender } = building;
  const { address } = pure(building);
  const { registry, holderSet } = objectsOf(building);
  const [pauseCap] = call(
    building,
    'data_dao::create',
    [
      registry(),
      holderSet(policy.holderSetId),
      address(salt),
      policyValue(building, policy),
      address(metadataHash),
      governanceValue(building, governance),
      payoutRulesValue(building, payoutRules),
    ],
    [settings.coinType],
  );
  tx.transferObjects([pauseCap!], address(sender));
};

export const setPolicy: Builder<'setPolicy'> = (building, { daoId, expectedVersion, policy }) => {
  const { dao, coin } = objectsOf(building).dao(daoId);
  const holderSet = objectsOf(building).holderSet(policy.holderSetId);
  const args = [dao, holderSet, pure(building).u32(expectedVersion), policyValue(building, policy)];
  call(building, 'data_dao::set_policy', args, [coin]);
};

export const applyForMembership: Builder<'applyForMembership'> = (building, { daoId, statementHash }) => {
  const { dao, coin } = objectsOf(building).dao(daoId);
  call(building, 'data_dao::apply', [dao, pure(building).address(statementHash)], [coin]);
};

export const decideApplication: Builder<'decideApplication'> = (building, { daoId, applicant, accept }) => {
  const { address, bool } = pure(building);
  const { dao, coin } = objectsOf(building).dao(daoId);
  call(building, 'data_dao::decide_application', [dao, address(applicant), bool(accept)], [coin]);
};

export const setRoles: Builder<'setRoles'> = (building, { daoId, member, roles }) => {
  const { address, u8 } = pure(building);
  const { dao, coin } = objectsOf(building).dao(daoId);
  call(building, 'data_dao::set_roles', [dao, address(member), u8(roles)], [coin]);
};

export const pauseDao: Builder<'pauseDao'> = async (building, { daoId }) => {
  const { dao, coin } = objectsOf(building).dao(daoId);
  const cap = building.tx.object(await building.pauseCapOf(daoId));
  call(building, 'data_dao::pause', [dao, cap], [coin]);
};

/** Whose runner it is, is in the statement that the verifiers signed. */
export const registerRunner: Builder<'registerRunner'> = async (building, { statement, signatures }) => {
  const { bytes, u8s, byteLists } = pure(building);
  const { daoId } = readSigned(RunnerStatementBcs, statement, 'statement');
  const { dao, coin } = objectsOf(building).dao(daoId);
  const { registry, holderSet, clock } = objectsOf(building);
  const args = [
    dao,
    registry(),
    holderSet(await building.holderSetOf(daoId)),
    bytes(statement),
    u8s(signatures.map(({ member }) => member)),
    byteLists(signatures.map(({ signature }) => signature)),
    clock(),
  ];
  call(building, 'data_dao::register_runner', args, [coin]);
};

export const anchorTreeHead: Builder<'anchorTreeHead'> = (building, { holderSetId, member, treeHead, signature }) => {
  const { u8, bytes } = pure(building);
  const { holderSet, clock } = objectsOf(building);
  const args = [holderSet(holderSetId), u8(member), bytes(treeHead), bytes(signature), clock()];
  call(building, 'holder_set::anchor_tree_head', args);
};
