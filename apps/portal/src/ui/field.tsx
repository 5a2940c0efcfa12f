import { useId, type ComponentProps, type ReactNode } from 'react';

interface FieldProps {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly children: (props: { id: string; 'aria-describedby': string | undefined }) => ReactNode;
}

/** A label, its control and its hint, tied together for everyone who does not see that they stand together. */
export function Field({ label, hint, children }: FieldProps) {
  const id = useId();
  const hintId = hint === undefined ? undefined : `${id}-hint`;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, 'aria-describedby': hintId })}
      {hint !== undefined && (
        <p className="hint" id={hintId}>
          {hint}
        </p>
      )}
    </div>
  );
}

interface TextProps {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly value: string;
  readonly onText: (text: string) => void;
}

/** One line of text. */
export function TextField({ label, hint, onText, ...rest }: TextProps & ComponentProps<'input'>) {
  return (
    <Field label={label} hint={hint}>
      {(props) => <input {...rest} {...props} onChange={(event) => onText(event.target.value)} />}
    </Field>
  );
}

/** Several lines of text. */
export function LongTextField({ label, hint, onText, ...rest }: TextProps & ComponentProps<'textarea'>) {
  return (
    <Field label={label} hint={hint}>
      {(props) => <textarea {...rest} {...props} onChange={(event) => onText(event.target.value)} />}
    </Field>
  );
}

interface ChoicesProps<T extends string> {
  readonly legend: string;
  readonly options: readonly { value: T; label: string; hint?: string; disabled?: boolean }[];
  readonly chosen: readonly T[];
  readonly onChange: (chosen: T[]) => void;
}

/** Several of many, as check boxes with an explanation each. */
export function Choices<T extends string>({ legend, options, chosen, onChange }: ChoicesProps<T>) {
  const toggle = (value: T, on: boolean) =>
    onChange(options.map((o) => o.value).filter((v) => (v === value ? on : chosen.includes(v))));
  return (
    <fieldset>
      <legend>{legend}</legend>
      <div className="choices">
        {options.map(({ value, label, hint, disabled }) => (
          <label className="choice" key={value}>
            <input
              type="checkbox"
              value={value}
              checked={chosen.includes(value)}
              disabled={disabled}
              onChange={(event) => toggle(value, event.target.checked)}
            />
            <span>{label}</span>
            {hint !== undefined && <span className="hint">{hint}</span>}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
