import { purposeLabel } from '@usufruct/consent';
import { asId, type GrantId } from '@usufruct/kernel';
import { formatAmount, formatTime, type Coin } from '../../app/format.js';
import type { ActiveAccount } from '../../app/portal.js';
import { useTask } from '../../app/use-task.js';
import type { ContributionCard, GrantCard } from '../../data/catalogue.js';
import { Button } from '../../ui/button.js';
import { Chip, Empty } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { KIND_WORDS, PROTECTION_WORDS } from '../../ui/status.js';

interface GrantListProps {
  readonly contribution: ContributionCard;
  readonly account: ActiveAccount;
  readonly coin: Coin;
  readonly onChanged: () => void;
}

export function GrantList({ contribution, account, coin, onChanged }: GrantListProps) {
  const { grants } = contribution;
  if (grants.length === 0) return <Empty>No use is allowed. Nobody can decrypt this contribution.</Empty>;
  return (
    <ul className="list" aria-label="Grants">
      {grants.map((grant) => (
        <GrantItem key={grant.grantId} grant={grant} account={account} coin={coin} onChanged={onChanged} />
      ))}
    </ul>
  );
}

interface GrantItemProps extends Omit<GrantListProps, 'contribution'> {
  readonly grant: GrantCard;
}

function GrantItem({ grant, account, coin, onChanged }: GrantItemProps) {
  const revoke = useTask(async () => {
    await account.client.grants.revoke(asId<GrantId>(grant.grantId, 'grantId'));
    onChanged();
  });
  const kinds = grant.kinds.map((kind) => KIND_WORDS[kind]).join(', ');
  const protections = grant.protections.map((kind) => PROTECTION_WORDS[kind]).join(' or ');
  return (
    <li className="item" data-grant={grant.grantId} data-active={grant.active}>
      <div className="row apart">
        <span className="item-title">{grant.purposes.map(purposeLabel).join(', ')}</span>
        <GrantState grant={grant} />
      </div>
      <p className="hint">
        For {kinds}, protected by {protections}, for at least {formatAmount(grant.priceFloorUnits, coin)}. Given{' '}
        {formatTime(grant.givenAtMs)}
        {grant.active && `, until ${formatTime(grant.expiresAtMs)}`}.
      </p>
      <Refusal error={revoke.error} />
      {grant.active && (
        <div className="row">
          <Button small look="danger" busy={revoke.busy} onClick={() => void revoke.run()}>
            Revoke
          </Button>
          <span className="hint">Stops the next release of the key. It cannot recall what was used already.</span>
        </div>
      )}
    </li>
  );
}

function GrantState({ grant }: { readonly grant: GrantCard }) {
  if (grant.active) return <Chip tone="good">allowed</Chip>;
  if (grant.revokedAtMs !== null) return <Chip tone="bad">revoked {formatTime(grant.revokedAtMs)}</Chip>;
  return <Chip tone="warn">expired {formatTime(grant.expiresAtMs)}</Chip>;
}
