import { asAmount, type AmountUnits, type DatasetId } from '@usufruct/kernel';
import { askSeveral, type AskStep, type SeveralAnswers } from '@usufruct/sdk';
import { useState } from 'react';
import type { PortalClient } from '../../../app/client.js';
import { useTask, type Task } from '../../../app/use-task.js';
import { askedOf, togetherOf, type SeveralOffer } from './offer.js';

/** As long as a session of its own could be asked for it again. */
const KEEP_MS = 24 * 60 * 60_000;

export interface SeveralAsked {
  readonly offer: SeveralOffer;
  readonly answers: SeveralAnswers;
  /** Since it was first asked: what is asked again may cost what is left of the price that was confirmed. */
  readonly paidUnits: AmountUnits;
}
export interface Several {
  readonly ask: Task<[SeveralOffer]>;
  /** Of the question that is on its way: how far each dataset is. */
  readonly steps: ReadonlyMap<DatasetId, AskStep>;
  /** The newest first. */
  readonly asked: readonly SeveralAsked[];
}

/** Asks what was confirmed, for no more than was confirmed; asked again, only those that have not answered are paid. */
export function useSeveral(client: PortalClient, onPaid: () => void): Several {
  const [steps, setSteps] = useState<ReadonlyMap<DatasetId, AskStep>>(new Map());
  const [asked, setAsked] = useState<readonly SeveralAsked[]>([]);
  const ask = useTask(async (offer: SeveralOffer) => {
    const before = asked.find((one) => one.offer.key === offer.key)?.paidUnits ?? 0n;
    const mostUnits = asAmount(togetherOf(offer) - before);
    const { key, text, purpose, filter } = offer;
    const asker = client.asker({ name: `portal-${key}`, maxSpendUnits: mostUnits, sessionQuestions: 1 });
    setSteps(new Map());
    try {
      const datasetIds = askedOf(offer).map(({ datasetId }) => datasetId);
      const question = { key, text, purpose, datasetIds, keepMs: KEEP_MS, ...(filter !== null && { filter }) };
      const answers = await askSeveral(
        asker,
        { ...question, maxPriceUnits: mostUnits },
        { onStep: (datasetId, step) => setSteps((steps) => new Map(steps).set(datasetId, step)) },
      );
      const paidUnits = asAmount(before + answers.costUnits);
      setAsked((all) => [{ offer, answers, paidUnits }, ...all.filter((one) => one.offer.key !== key)]);
    } finally {
      onPaid();
      await asker.close();
      onPaid();
    }
  });
  return { ask, steps, asked };
}
