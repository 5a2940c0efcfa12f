import { describe, expect, it } from '@jest/globals';
import { readdir, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

const CALLERS = ['actions', 'custody', 'publish', 'seal'].map((name) => `libs/chain/src/sui/${name}`);

/**
 * What each function of the contracts that the adapter calls takes, in order, less the transaction's context. Compiled
 * modules have no names, so two parameters of one type that change places or meaning are noticed here and nowhere else:
 * before a row is changed, the call has to be.
 */
const PARAMETERS: Readonly<Record<string, string>> = {
  'answer_rules::new': 'max_quote_chars min_contributors max_reach_bps',
  'blob_custody::put': 'dataset contribution_id blob object',
  'blob_custody::put_back': 'dataset object renewal',
  'blob_custody::take_for_renewal': 'dataset dao contribution_id blob',
  'blob_custody::withdraw': 'dataset contribution_id blob',
  'blob_reference::new': 'blob size_bytes end_epoch',
  'contribution::decide': 'dataset dao contribution_id accept',
  'contribution::register':
    'dataset dao salt manifest_digest manifest_blob part_blobs part_sizes_bytes part_end_epochs holder_set_id policy_digest',
  'contribution::renew_lease': 'dataset dao contribution_id blobs end_epochs',
  'contribution::tombstone': 'dataset contribution_id clock',
  'data_dao::apply': 'self statement_hash',
  'data_dao::create': 'registry holder_set salt policy metadata_hash governance payout_rules',
  'data_dao::decide_application': 'self applicant accept',
  'data_dao::pause': 'self cap',
  'data_dao::register_runner': 'self registry holder_set statement members signatures clock',
  'data_dao::set_policy': 'self holder_set expected_version policy',
  'data_dao::set_roles': 'self member roles',
  'dataset::create': 'dao salt metadata_hash answer_rules',
  'dataset::set_answer_rules': 'self dao answer_rules',
  'effect::approve_measurement': 'measurement',
  'effect::offer_licence': 'terms',
  'effect::register_signer': 'kind public_keys pay_to',
  'effect::set_data_rules': 'cancel_on_revocation permanent_blobs self_queries_pay',
  'effect::set_governance': 'governance',
  'effect::set_payout_rules': 'payout_rules',
  'effect::set_price': 'price_per_question_units',
  'effect::set_purposes': 'purposes',
  'effect::set_roles': 'member roles',
  'effect::set_split': 'split',
  'effect::set_terms': 'kinds protections profiles result_term_ms max_job_term_ms',
  'effect::set_verifiers': 'holder_set_id verifier_threshold',
  'effect::spend_treasury': 'to amount_units',
  'effect::tombstone_dataset': 'dataset_id',
  'effect::unpause': '',
  'effect::withdraw_licence_offer': 'offer_id',
  'effect::withdraw_measurement': 'measurement',
  'effect::withdraw_signer': 'signer_id',
  'effect::write_off_receipts': 'from_receipt to_receipt',
  'epoch::claim': 'self dao index account amount_units salt proof clock',
  'epoch::object': 'self dao holder_set member clock',
  'epoch::propose': 'dao registry holder_set statement settler_signature members signatures clock',
  'epoch::prove_equivocation': 'self dao registry statement settler_signature clock',
  'epoch::sweep': 'self dao registry clock',
  'governance::new': 'voting quorum_bps approval_bps voting_ms timelock_ms execution_ms policy_by_vote_only',
  'grant::give': 'dataset contribution_id salt terms clock',
  'grant::revoke': 'dataset grant_id clock',
  'grant::seal_approve': 'id dao dataset job contribution_id grant_id runner_id clock',
  'grant_terms::new': 'purposes kinds protections price_floor_units budget_micro_epsilon expires_at_ms',
  'holder_set::anchor_tree_head': 'self member tree_head signature clock',
  'holder_set::create': 'registry salt operators signing_public_keys sealing_public_keys threshold',
  'holder_set::rotate': 'self registry rotation signers signatures',
  'holder_set::tombstone_member': 'self member',
  'job::close': 'self',
  'job::expire': 'self clock',
  'job::fund':
    'dao dataset salt purpose kind protection policy_version price_per_question_units max_questions term_ms client_public_key payment clock',
  'licence::buy': 'dao dataset registry salt offer_id payment clock',
  'licence_terms::new': 'dataset_id purpose kind protection price_units term_ms',
  'payout_rules::new': 'mode challenge_ms claim_term_ms unclaimed_to',
  'policy::appraisal': 'version profiles measurements result_term_ms',
  'policy::new':
    'price_per_question_units purposes kinds protections split holder_set_id appraisal verifier_threshold max_job_term_ms cancel_on_revocation permanent_blobs self_queries_pay',
  'policy::revenue_split': 'contributors_bps treasury_bps runner_bps protocol_bps',
  'proposal::execute': 'self dao holder_set clock',
  'proposal::execute_on_dataset': 'self dao dataset clock',
  'proposal::propose': 'dao salt effect description_hash clock',
  'proposal::vote': 'self dao choice clock',
  'registry::open': 'cap chain_id protocol_account',
  'upgrade_timelock::announce': 'self admin digest clock',
  'upgrade_timelock::authorize': 'self admin clock',
  'upgrade_timelock::cancel': 'self admin',
  'upgrade_timelock::commit': 'self receipt',
  'upgrade_timelock::lock': 'cap delay_ms',
  'upgrade_timelock::make_immutable': 'self admin',
  'usage_receipt::settle':
    'job dao dataset registry receipt_bytes signature uses_salt contribution_ids grant_ids weights clock',
  'usage_receipt::settle_privately':
    'job dao dataset registry holder_set receipt_bytes signature members acknowledgements clock',
};

/** Every `module::function` that stands in the adapter's code. */
async function called(): Promise<string[]> {
  const targets = new Set<string>();
  for (const folder of CALLERS) {
    const names = await readdir(resolve(folder));
    for (const name of names.filter((one) => one.endsWith('.ts') && !one.endsWith('.spec.ts'))) {
      const text = await readFile(resolve(folder, name), 'utf8');
      for (const [, target] of text.matchAll(/(?:['`]|\}::)([a-z_]+::[a-z_]+)['`]/g)) targets.add(target!);
    }
  }
  return [...targets].sort();
}

async function parametersOf(target: string): Promise<string> {
  const [module, name] = target.split('::') as [string, string];
  const source = await readFile(resolve('move/usufruct/sources', `${module}.move`), 'utf8');
  const found = new RegExp(`\\n(?:public|entry) fun ${name}(?:<[^>]*>)?\\(([^)]*)\\)`).exec(source);
  const parameters = (found?.[1] ?? '').matchAll(/(\w+):/g);
  return Array.from(parameters, ([, parameter]) => parameter)
    .filter((one) => one !== 'ctx')
    .join(' ');
}

describe('the parameters of the contracts', () => {
  it('are listed for every function that the adapter calls', async () => {
    expect(Object.keys(PARAMETERS).sort()).toEqual(await called());
  });

  it.each(Object.entries(PARAMETERS))(
    'of %s have the names and the order that the adapter knows',
    async (target, names) => {
      expect(await parametersOf(target)).toBe(names);
    },
  );
});
