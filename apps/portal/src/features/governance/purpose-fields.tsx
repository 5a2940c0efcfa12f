import { purposeCovers, PURPOSES } from '@usufruct/consent';
import { Choices } from '../../ui/field.js';

/** Those that most DAOs choose from; each covers the narrower ones. */
const COMMON: readonly string[] = [
  'dpv:ResearchAndDevelopment',
  'dpv:AcademicResearch',
  'dpv:CommercialResearch',
  'dpv:PublicBenefit',
  'dpv:ServiceProvision',
  'DUO:0000042',
];

/** A code that covers not even itself would allow nothing, so it is not offered. */
const OFFERED = PURPOSES.filter(({ code }) => purposeCovers(code, code)).map(({ code, label }) => ({
  value: code,
  label,
  hint: code,
}));
const common = OFFERED.filter(({ value }) => COMMON.includes(value));
const others = OFFERED.filter(({ value }) => !COMMON.includes(value));

interface PurposeFieldsProps {
  readonly chosen: readonly string[];
  readonly onChange: (purposes: string[]) => void;
}

export function PurposeFields({ chosen, onChange }: PurposeFieldsProps) {
  const chosenIn = (options: typeof OFFERED) => chosen.filter((code) => options.some(({ value }) => value === code));
  return (
    <div className="stack tight">
      <Choices
        legend="Purposes that may be asked for"
        options={common}
        chosen={chosen}
        onChange={(codes) => onChange([...codes, ...chosenIn(others)])}
      />
      <details>
        <summary>More purposes</summary>
        <Choices
          legend="More purposes"
          options={others}
          chosen={chosen}
          onChange={(codes) => onChange([...chosenIn(common), ...codes])}
        />
      </details>
    </div>
  );
}
