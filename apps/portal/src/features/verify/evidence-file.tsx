import type { QuestionId } from '@usufruct/kernel';
import { toWireJson } from '@usufruct/protocol';
import type { ReceiptEvidence } from '@usufruct/sdk';
import { useState } from 'react';
import { Button } from '../../ui/button.js';
import { saveJsonFile } from '../../ui/save-file.js';

interface EvidenceFileProps {
  readonly evidence: ReceiptEvidence;
  readonly questionId: QuestionId;
}

/** Everything that the receipt is judged by, to keep or to hand to an auditor. With the answer in it, it is private. */
export function EvidenceFile({ evidence, questionId }: EvidenceFileProps) {
  const [copied, setCopied] = useState(false);
  const text = toWireJson(evidence);
  const save = () => saveJsonFile(`receipt-${questionId.slice(2, 14)}.json`, text);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  return (
    <div className="row">
      <Button small onClick={save}>
        Save the receipt with its evidence
      </Button>
      <Button small onClick={() => void copy()}>
        {copied ? 'Copied' : 'Copy it'}
      </Button>
      <span className="hint">It contains the answer. Anyone can check it on the page Verify, or offline.</span>
    </div>
  );
}
