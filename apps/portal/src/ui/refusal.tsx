import type { UsufructError } from '@usufruct/kernel';
import { Button } from './button.js';

/** What was refused, why, and what would help: the catalogue's words, with its code for support and search. */
export function Refusal({
  error,
  onRetry,
}: {
  readonly error: UsufructError | undefined;
  readonly onRetry?: () => void;
}) {
  if (error === undefined) return null;
  const details = Object.entries(error.details).filter(([, value]) => value !== '');
  return (
    <div className="notice bad" role="alert">
      <p>
        <strong>{error.entry.message}.</strong> {error.entry.remedy}
      </p>
      <p className="hint">
        <code>{error.code}</code>
        {details.map(([key, value]) => (
          <span key={key}>
            {' · '}
            {key}: <code>{value}</code>
          </span>
        ))}
      </p>
      {onRetry !== undefined && error.entry.retry !== 'never' && (
        <div>
          <Button small onClick={onRetry}>
            Try again
          </Button>
        </div>
      )}
    </div>
  );
}
