import {
  DEFAULT_DATA_RULES,
  DEFAULT_GOVERNANCE,
  DEFAULT_PAYOUT_RULES,
  EVIDENCE_PROFILES,
  type EvidenceProfile,
} from '@usufruct/protocol';
import { useState, type FormEvent } from 'react';
import { usePortal } from '../../app/portal.js';
import { useAttemptKey } from '../../app/use-attempt.js';
import { useTask } from '../../app/use-task.js';
import type { Acting } from '../../app/with-account.js';
import { Button } from '../../ui/button.js';
import { Choices, LongTextField, TextField } from '../../ui/field.js';
import { Notice, Panel } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { PurposeFields } from './purpose-fields.js';
import { majorityOf, readPolicy, type PolicyDraft } from './policy-draft.js';
import { governanceDraft, payoutRulesDraft, readGovernance, readPayoutRules } from './proposal-draft.js';
import { DataRulesFields } from './data-fields.js';
import { GovernanceFields, PayoutRulesFields, SplitFields } from './rule-fields.js';

const PROFILE_WORDS: Readonly<Record<EvidenceProfile, string>> = {
  'tdx+nv': 'Intel TDX with an NVIDIA confidential GPU',
  tdx: 'Intel TDX',
  snp: 'AMD SEV-SNP',
  nitro: 'AWS Nitro Enclaves',
  'software-dev': 'Software TEE (development only: proves nothing about hardware)',
};

/** Everything that a DAO needs to begin, with sound values to start from. */
export function NewDao({ account, coin, onDone }: Acting & { readonly onDone: () => void }) {
  const { config } = usePortal();
  const [title, setTitle] = useState('');
  const [description, setDescription] = useState('');
  const [draft, setDraft] = useState<PolicyDraft>(() => firstDraft(config.runners));
  const [governance, setGovernance] = useState(() => governanceDraft(DEFAULT_GOVERNANCE));
  const [payoutRules, setPayoutRules] = useState(() => payoutRulesDraft(DEFAULT_PAYOUT_RULES));
  const keyOf = useAttemptKey();
  const change = (part: Partial<PolicyDraft>) => setDraft({ ...draft, ...part });
  const found = useTask(async () => {
    const threshold = majorityOf(config.holderUrls.length);
    const policy = readPolicy(draft, coin, threshold);
    const metadata = { title: title.trim(), description: description.trim() };
    const rules = { governance: readGovernance(governance), payoutRules: readPayoutRules(payoutRules) };
    const key = keyOf(JSON.stringify([metadata, draft, rules]));
    const { daos } = account.client;
    const holderSet = await daos.createHolderSet({ key, threshold });
    await daos.create({ key, ...metadata, ...rules, policy: { ...policy, holderSetId: holderSet.id } });
    onDone();
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void found.run();
  };
  return (
    <Panel
      title="Found a DAO"
      lead="All of this is public on the chain. The policy can be replaced by a newer version later."
    >
      <form className="stack" onSubmit={submit} aria-label="New DAO">
        <div className="columns">
          <TextField label="Name of the DAO" required maxLength={120} value={title} onText={setTitle} />
          <TextField
            label={`Price of a question, in ${coin.symbol}`}
            required
            inputMode="decimal"
            value={draft.price}
            onText={(price) => change({ price })}
          />
        </div>
        <LongTextField label="What it is for" required maxLength={2_000} value={description} onText={setDescription} />
        <PurposeFields chosen={draft.purposes} onChange={(purposes) => change({ purposes })} />
        <SplitFields draft={draft} onChange={change} />
        <EvidenceFields draft={draft} onChange={change} allowStandIn={config.suiNetwork === 'local'} />
        <DataRulesFields
          draft={draft.dataRules}
          onChange={(part) => change({ dataRules: { ...draft.dataRules, ...part } })}
        />
        <details>
          <summary>How it decides and pays</summary>
          <div className="stack">
            <GovernanceFields draft={governance} onChange={(part) => setGovernance({ ...governance, ...part })} />
            <PayoutRulesFields draft={payoutRules} onChange={(part) => setPayoutRules({ ...payoutRules, ...part })} />
          </div>
        </details>
        <Notice>
          Keys are split among the {config.holderUrls.length} key holders of this portal’s configuration; any{' '}
          {majorityOf(config.holderUrls.length)} of them are needed to release one.
        </Notice>
        <Refusal error={found.error} />
        <div>
          <Button type="submit" look="primary" busy={found.busy}>
            Found the DAO
          </Button>
        </div>
      </form>
    </Panel>
  );
}

interface DraftFieldsProps {
  readonly draft: PolicyDraft;
  readonly onChange: (part: Partial<PolicyDraft>) => void;
}

function EvidenceFields({ draft, onChange, allowStandIn }: DraftFieldsProps & { readonly allowStandIn: boolean }) {
  const profiles = EVIDENCE_PROFILES.filter((profile) => allowStandIn || profile !== 'software-dev');
  return (
    <>
      <Choices
        legend="Evidence that a runner may prove itself with"
        options={profiles.map((value) => ({ value, label: PROFILE_WORDS[value], hint: value }))}
        chosen={draft.profiles}
        onChange={(chosen) => onChange({ profiles: chosen })}
      />
      <LongTextField
        label="Approved code"
        hint="Measurements of the runner’s code, one a line: 96 hexadecimal digits each. Only this code ever gets keys."
        required
        className="mono"
        spellCheck={false}
        value={draft.measurements}
        onText={(measurements) => onChange({ measurements })}
      />
    </>
  );
}

const firstDraft = (runners: readonly { profile: EvidenceProfile; measurement: string }[]): PolicyDraft => ({
  price: '1',
  purposes: ['dpv:ResearchAndDevelopment'],
  contributorsPercent: '80',
  treasuryPercent: '10',
  runnerPercent: '8',
  protocolPercent: '2',
  profiles: [...new Set(runners.map(({ profile }) => profile))],
  measurements: [...new Set(runners.map(({ measurement }) => measurement))].join('\n'),
  dataRules: DEFAULT_DATA_RULES,
});
