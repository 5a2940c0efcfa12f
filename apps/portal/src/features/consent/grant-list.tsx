import { consentReceiptText, purposeLabel } from '@usufruct/consent';
import type { GrantView } from '@usufruct/protocol';
import { formatAmount, formatTime, type Coin } from '../../app/format.js';
import type { ActiveAccount } from '../../app/portal.js';
import { useTask } from '../../app/use-task.js';
import { Button } from '../../ui/button.js';
import { Chip, Empty } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { saveJsonFile } from '../../ui/save-file.js';
import { KIND_WORDS, PROTECTION_WORDS } from '../../ui/status.js';

interface GrantListProps {
  readonly grants: readonly GrantView[];
  /** Then no grant of it allows anything any more. */
  readonly isRetired: boolean;
  readonly account: ActiveAccount;
  readonly coin: Coin;
  readonly onChanged: () => void;
}

/** Neither revoked nor expired, by this device's clock. */
export const isActive = ({ revokedAtMs, terms }: GrantView): boolean =>
  revokedAtMs === null && terms.expiresAtMs > Date.now();

export function GrantList({ grants, ...rest }: GrantListProps) {
  if (grants.length === 0) return <Empty>No use is allowed. Nobody can decrypt this contribution.</Empty>;
  return (
    <ul className="list" aria-label="Grants">
      {grants.map((grant) => (
        <GrantItem key={grant.id} grant={grant} {...rest} />
      ))}
    </ul>
  );
}

interface GrantItemProps extends Omit<GrantListProps, 'grants'> {
  readonly grant: GrantView;
}

function GrantItem({ grant, isRetired, account, coin, onChanged }: GrantItemProps) {
  const revoke = useTask(async () => {
    await account.client.grants.revoke(grant.id);
    onChanged();
  });
  const receipt = useTask(async () => {
    const document = await account.client.grants.receipt({ grantId: grant.id });
    saveJsonFile(`consent-${grant.id.slice(2, 14)}.json`, consentReceiptText(document));
  });
  const { terms } = grant;
  const active = isActive(grant) && !isRetired;
  const kinds = terms.kinds.map((kind) => KIND_WORDS[kind]).join(', ');
  const protections = terms.protections.map((kind) => PROTECTION_WORDS[kind]).join(' or ');
  return (
    <li className="item" data-grant={grant.id} data-active={active}>
      <div className="row apart">
        <span className="item-title">{terms.purposes.map(purposeLabel).join(', ')}</span>
        <GrantState grant={grant} isRetired={isRetired} />
      </div>
      <p className="hint">
        For {kinds}, protected by {protections}, for at least {formatAmount(terms.priceFloorUnits, coin)}. Given{' '}
        {formatTime(grant.givenAtMs)}
        {active && `, until ${formatTime(terms.expiresAtMs)}`}.
      </p>
      <Refusal error={revoke.error ?? receipt.error} />
      <div className="row">
        {active && (
          <Button small look="danger" busy={revoke.busy} onClick={() => void revoke.run()}>
            Revoke
          </Button>
        )}
        <Button small busy={receipt.busy} onClick={() => void receipt.run()}>
          Save a signed receipt
        </Button>
        {active && (
          <span className="hint">
            Revoking stops the next release of the key. It cannot recall what was used already.
          </span>
        )}
      </div>
    </li>
  );
}

function GrantState({ grant, isRetired }: Pick<GrantItemProps, 'grant' | 'isRetired'>) {
  if (isActive(grant)) return isRetired ? <Chip tone="bad">ended with it</Chip> : <Chip tone="good">allowed</Chip>;
  if (grant.revokedAtMs !== null) return <Chip tone="bad">revoked {formatTime(grant.revokedAtMs)}</Chip>;
  return <Chip tone="warn">expired {formatTime(grant.terms.expiresAtMs)}</Chip>;
}
