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
        {copied ? '✓' : <CopyMark />}
      </button>
    </span>
  );
}

function CopyMark() {
  return (
    <svg viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.4" aria-hidden="true">
      <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
      <path d="M10.5 3.5v-.5A1.5 1.5 0 0 0 9 1.5H4A1.5 1.5 0 0 0 2.5 3v5A1.5 1.5 0 0 0 4 9.5h.5" />
    </svg>
  );
}
