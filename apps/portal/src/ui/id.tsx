import { useState } from 'react';
import { shortId } from '../app/format.js';

/** An id, shortened; the whole one is in the tooltip and goes to the clipboard. */
export function Id({ value, what }: { readonly value: string; readonly what: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(value);
    setCopied(true);
  };
  return (
    <span className="id" data-id={value}>
      <span title={value}>{shortId(value)}</span>
      <button type="button" onClick={() => void copy()} aria-label={`Copy ${what}`} title="Copy">
        {copied ? '✓' : '⧉'}
      </button>
    </span>
  );
}
