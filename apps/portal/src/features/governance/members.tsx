import { hasRole, ROLE_NAMES, roleNames, rolesOf, type DaoView, type MemberView } from '@usufruct/protocol';
import { useState } from 'react';
import { formatAmount } from '../../app/format.js';
import { useLoaded, useTask } from '../../app/use-task.js';
import type { Acting } from '../../app/with-account.js';
import { Button } from '../../ui/button.js';
import { Choices } from '../../ui/field.js';
import { Id } from '../../ui/id.js';
import { Loading } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { ROLE_LABELS } from './words.js';

interface MembersProps extends Acting {
  readonly dao: DaoView;
  /** This account's own membership. */
  readonly self: MemberView;
  readonly onChanged: () => void;
}

/** Who belongs to the DAO and may do what, and who asks to join. */
export function Members({ account, coin, dao, self, onChanged }: MembersProps) {
  const { members } = account.client;
  const list = useLoaded(`${dao.id} ${dao.members.length}`, () => members.list(dao.id));
  const applications = useLoaded(dao.id, () => members.applications(dao.id));
  const decide = useTask(async (applicant: MemberView['address'], accept: boolean) => {
    await members.decide(dao.id, applicant, accept);
    applications.reload();
    onChanged();
  });
  return (
    <section className="stack tight" aria-label="Members">
      <h3>Members</h3>
      <Refusal error={list.error ?? applications.error} onRetry={list.reload} />
      {list.loading && <Loading what="the members" />}
      <ul className="list">
        {applications.data?.map(({ applicant }) => (
          <li className="item" key={applicant} data-applicant={applicant}>
            <div className="row apart">
              <span>
                <Id value={applicant} what="address of the applicant" /> asks to become a member
              </span>
              {hasRole(self, 'steward') && (
                <span className="row">
                  <Button small look="primary" busy={decide.busy} onClick={() => void decide.run(applicant, true)}>
                    Let in
                  </Button>
                  <Button small disabled={decide.busy} onClick={() => void decide.run(applicant, false)}>
                    Turn down
                  </Button>
                </span>
              )}
            </div>
          </li>
        ))}
        {list.data?.map((member) => (
          <Member
            key={member.address}
            account={account}
            coin={coin}
            dao={dao}
            member={member}
            mayChange={hasRole(self, 'administrator')}
            onChanged={() => {
              list.reload();
              onChanged();
            }}
          />
        ))}
      </ul>
      <Refusal error={decide.error} />
    </section>
  );
}

interface MemberProps extends Omit<MembersProps, 'self'> {
  readonly member: MemberView;
  readonly mayChange: boolean;
}

function Member({ account, coin, dao, member, mayChange, onChanged }: MemberProps) {
  const [chosen, setChosen] = useState<ReturnType<typeof roleNames> | null>(null);
  const save = useTask(async () => {
    if (chosen !== null) await account.client.members.setRoles(dao.id, member.address, rolesOf(chosen));
    setChosen(null);
    onChanged();
  });
  return (
    <li className="item" data-member={member.address}>
      <div className="row apart">
        <span className="row">
          <Id value={member.address} what="address of the member" />
          <span className="hint">
            {member.address === account.address && 'you · '}
            {member.roles === 0
              ? 'member'
              : roleNames(member.roles)
                  .map((name) => ROLE_LABELS[name].label.toLowerCase())
                  .join(', ')}
            {member.earnedUnits > 0n && ` · earned ${formatAmount(member.earnedUnits, coin)} here`}
          </span>
        </span>
        {mayChange && chosen === null && (
          <Button small onClick={() => setChosen(roleNames(member.roles))}>
            Change roles
          </Button>
        )}
      </div>
      {chosen !== null && (
        <>
          <Choices
            legend="Roles"
            options={ROLE_NAMES.map((value) => ({ value, ...ROLE_LABELS[value] }))}
            chosen={chosen}
            onChange={setChosen}
          />
          <div className="row">
            <Button small look="primary" busy={save.busy} onClick={() => void save.run()}>
              Set these roles
            </Button>
            <Button small onClick={() => setChosen(null)}>
              Leave as it is
            </Button>
          </div>
        </>
      )}
      <Refusal error={save.error} />
    </li>
  );
}
