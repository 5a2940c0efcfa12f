import { COMPUTATION_KINDS, EVIDENCE_PROFILES, PROTECTION_KINDS, ROLE_NAMES, type DaoView } from '@usufruct/protocol';
import type { ReactNode } from 'react';
import { shortId, type Coin } from '../../app/format.js';
import { titleOf, type DatasetCard } from '../../data/catalogue.js';
import { Choices, LongTextField, TextField } from '../../ui/field.js';
import { KIND_WORDS, PROTECTION_WORDS } from '../../ui/status.js';
import type { ProposalDraft } from './proposal-draft.js';
import { PurposeFields } from './purpose-fields.js';
import { DataRulesFields } from './data-fields.js';
import { GovernanceFields, PayoutRulesFields, SelectField, SplitFields } from './rule-fields.js';
import { ROLE_LABELS } from './words.js';

interface EffectFieldsProps {
  readonly draft: ProposalDraft;
  readonly onChange: (part: Partial<ProposalDraft>) => void;
  readonly dao: DaoView;
  readonly datasets: readonly DatasetCard[];
  readonly coin: Coin;
}

/** What one kind of proposal needs to know. */
export function EffectFields(props: EffectFieldsProps): ReactNode {
  const { draft, onChange, dao, coin } = props;
  switch (draft.kind) {
    case 'setPrice':
      return (
        <TextField
          label={`New price of a question, in ${coin.symbol}`}
          required
          inputMode="decimal"
          value={draft.price}
          onText={(price) => onChange({ price })}
        />
      );
    case 'setPurposes':
      return <PurposeFields chosen={draft.purposes} onChange={(purposes) => onChange({ purposes })} />;
    case 'setSplit':
      return <SplitFields draft={draft} onChange={onChange} />;
    case 'approveMeasurement':
      return <MeasurementField {...props} />;
    case 'withdrawMeasurement':
      return (
        <SelectField
          label="Approved code"
          options={[
            { value: '', label: 'Choose…' },
            ...dao.policy.appraisal.measurements.map((value) => ({ value, label: shortId(value) })),
          ]}
          value={draft.measurement}
          onChange={(measurement) => onChange({ measurement })}
        />
      );
    case 'setVerifiers':
      return (
        <div className="columns">
          <IdField label="Holder set" value={draft.holderSetId} onText={(holderSetId) => onChange({ holderSetId })} />
          <TextField
            label="Members that register a runner"
            required
            inputMode="numeric"
            value={draft.threshold}
            onText={(threshold) => onChange({ threshold })}
          />
        </div>
      );
    case 'setTerms':
      return <TermsFields {...props} />;
    case 'setDataRules':
      return (
        <DataRulesFields
          draft={draft.dataRules}
          onChange={(part) => onChange({ dataRules: { ...draft.dataRules, ...part } })}
        />
      );
    case 'setGovernance':
      return (
        <GovernanceFields
          draft={draft.governance}
          onChange={(part) => onChange({ governance: { ...draft.governance, ...part } })}
        />
      );
    case 'setPayoutRules':
      return (
        <PayoutRulesFields
          draft={draft.payoutRules}
          onChange={(part) => onChange({ payoutRules: { ...draft.payoutRules, ...part } })}
        />
      );
    default:
      return <RoomFields {...props} />;
  }
}

function RoomFields(props: EffectFieldsProps) {
  const { draft, onChange, dao, coin } = props;
  switch (draft.kind) {
    case 'spendTreasury':
      return (
        <div className="columns">
          <IdField label="To the address" value={draft.address} onText={(address) => onChange({ address })} />
          <AmountField label={`Amount, in ${coin.symbol}`} draft={draft} onChange={onChange} />
        </div>
      );
    case 'setRoles':
      return (
        <div className="stack tight">
          <SelectField
            label="Member"
            options={[
              { value: '', label: 'Choose…' },
              ...dao.members.map((value) => ({ value: value as string, label: shortId(value) })),
            ]}
            value={draft.address}
            onChange={(address) => onChange({ address })}
          />
          <Choices
            legend="Roles"
            options={ROLE_NAMES.map((value) => ({ value, ...ROLE_LABELS[value] }))}
            chosen={draft.roles}
            onChange={(roles) => onChange({ roles })}
          />
        </div>
      );
    case 'registerSigner':
      return <SignerFields {...props} />;
    case 'withdrawSigner':
      return <IdField label="Signer" value={draft.objectId} onText={(objectId) => onChange({ objectId })} />;
    case 'tombstoneDataset':
      return <DatasetField {...props} />;
    case 'offerLicence':
      return <LicenceFields {...props} />;
    case 'withdrawLicenceOffer':
      return <IdField label="Offer" value={draft.objectId} onText={(objectId) => onChange({ objectId })} />;
    case 'writeOffReceipts':
      return (
        <div className="columns">
          <TextField
            label="From receipt"
            required
            inputMode="numeric"
            value={draft.fromReceipt}
            onText={(fromReceipt) => onChange({ fromReceipt })}
          />
          <TextField
            label="To receipt"
            required
            inputMode="numeric"
            value={draft.toReceipt}
            onText={(toReceipt) => onChange({ toReceipt })}
          />
        </div>
      );
    default:
      return null; // ending a pause asks nothing
  }
}

interface IdFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onText: (text: string) => void;
}
function IdField(props: IdFieldProps) {
  return <TextField {...props} required className="mono" spellCheck={false} hint="0x and 64 hexadecimal digits." />;
}

function AmountField({ label, draft, onChange }: Pick<EffectFieldsProps, 'draft' | 'onChange'> & { label: string }) {
  return (
    <TextField
      label={label}
      required
      inputMode="decimal"
      value={draft.amount}
      onText={(amount) => onChange({ amount })}
    />
  );
}

function MeasurementField({ draft, onChange }: EffectFieldsProps) {
  return (
    <LongTextField
      label="Code to approve"
      hint="The measurement of a runner’s code: 96 hexadecimal digits."
      required
      className="mono"
      spellCheck={false}
      value={draft.measurement}
      onText={(measurement) => onChange({ measurement })}
    />
  );
}

function TermsFields({ draft, onChange }: EffectFieldsProps) {
  return (
    <div className="stack tight">
      <Choices
        legend="Kinds of computation"
        options={COMPUTATION_KINDS.map((value) => ({ value, label: KIND_WORDS[value] }))}
        chosen={draft.kinds}
        onChange={(kinds) => onChange({ kinds })}
      />
      <Choices
        legend="Protections"
        options={PROTECTION_KINDS.map((value) => ({ value, label: PROTECTION_WORDS[value] }))}
        chosen={draft.protections}
        onChange={(protections) => onChange({ protections })}
      />
      <Choices
        legend="Evidence"
        options={EVIDENCE_PROFILES.map((value) => ({ value, label: value }))}
        chosen={draft.profiles}
        onChange={(profiles) => onChange({ profiles })}
      />
      <div className="columns">
        <TextField
          label="Term of an appraisal"
          hint="As 1h."
          required
          value={draft.resultTerm}
          onText={(resultTerm) => onChange({ resultTerm })}
        />
        <TextField
          label="Longest session"
          required
          value={draft.maxSession}
          onText={(maxSession) => onChange({ maxSession })}
        />
      </div>
    </div>
  );
}

function SignerFields({ draft, onChange }: EffectFieldsProps) {
  return (
    <div className="stack tight">
      <SelectField
        label="Kind"
        options={[
          { value: 'mpc-set' as const, label: 'three MPC parties together' },
          { value: 'fhe-host' as const, label: 'host of an FHE evaluator' },
        ]}
        value={draft.signerKind}
        onChange={(signerKind) => onChange({ signerKind })}
      />
      <LongTextField
        label="Ed25519 public keys"
        hint="One a line: three of an MPC set, one of a host. 0x and 64 hexadecimal digits each."
        required
        className="mono"
        spellCheck={false}
        value={draft.keys}
        onText={(keys) => onChange({ keys })}
      />
      <IdField label="Paid to the address" value={draft.address} onText={(address) => onChange({ address })} />
    </div>
  );
}

function DatasetField({ draft, onChange, datasets }: EffectFieldsProps) {
  return (
    <SelectField
      label="Dataset of the proposal"
      options={[
        { value: '', label: 'Choose…' },
        ...datasets.map((dataset) => ({
          value: dataset.datasetId as string,
          label: titleOf(dataset, shortId(dataset.datasetId)),
        })),
      ]}
      value={draft.objectId}
      onChange={(objectId) => onChange({ objectId })}
    />
  );
}

function LicenceFields(props: EffectFieldsProps) {
  const { draft, onChange, dao, coin } = props;
  const [kind = 'rag'] = draft.kinds;
  const [protection = 'tee'] = draft.protections;
  return (
    <div className="stack tight">
      <DatasetField {...props} />
      <div className="columns">
        <SelectField
          label="Purpose"
          options={dao.policy.purposes.map((value) => ({ value, label: value }))}
          value={draft.purpose}
          onChange={(purpose) => onChange({ purpose })}
        />
        <SelectField
          label="Kind of computation"
          options={COMPUTATION_KINDS.map((value) => ({ value, label: KIND_WORDS[value] }))}
          value={kind}
          onChange={(chosen) => onChange({ kinds: [chosen] })}
        />
        <SelectField
          label="Protection"
          options={PROTECTION_KINDS.map((value) => ({ value, label: PROTECTION_WORDS[value] }))}
          value={protection}
          onChange={(chosen) => onChange({ protections: [chosen] })}
        />
      </div>
      <div className="columns">
        <AmountField label={`Price of the licence, in ${coin.symbol}`} draft={draft} onChange={onChange} />
        <TextField label="It lasts" hint="As 365d." required value={draft.term} onText={(term) => onChange({ term })} />
      </div>
    </div>
  );
}
