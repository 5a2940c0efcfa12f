import { useEffect, useState } from 'react';
import { Empty, PageHead } from '../ui/layout.js';
import { AccountButton } from '../wallet/account-button.js';
import { PAGE_GROUPS, PAGES, START_PAGE } from './pages.js';
import { usePortal } from './portal.js';
import { routeTo, useRoute } from './route.js';
import { UpgradeBanner } from './upgrade-banner.js';

export function App() {
  const { page: path } = useRoute();
  const { account } = usePortal();
  const [menuOpen, setMenuOpen] = useState(false);
  useEffect(() => setMenuOpen(false), [path]);
  const entry = PAGES.find((candidate) => candidate.path === (path === '' ? START_PAGE : path));
  // Another account is another person: no page may keep what it showed or typed for the one before.
  const key = `${entry?.path}/${account?.address ?? ''}`;
  return (
    <div className="shell">
      <a className="skip-link" href="#main" onClick={skipToMain}>
        Skip to content
      </a>
      <header className="topbar">
        <button
          type="button"
          className="button small menu-button"
          aria-expanded={menuOpen}
          aria-controls="menu"
          onClick={() => setMenuOpen(!menuOpen)}
        >
          Menu
        </button>
        <a className="brand" href={routeTo(START_PAGE)} aria-label="Usufruct, start page">
          <img src="./leaf.svg" alt="" />
          <span>Usufruct</span>
        </a>
        <div className="spacer" />
        <AccountButton />
      </header>
      <StandInBanner />
      <UpgradeBanner />
      <div className={menuOpen ? 'sidebar open' : 'sidebar'} id="menu">
        <Menu current={entry?.path} />
      </div>
      <main id="main" tabIndex={-1}>
        {entry === undefined ? <NoSuchPage /> : <entry.page key={key} />}
      </main>
    </div>
  );
}

/** The address after `#` names the page, so the skip link cannot be a plain fragment. */
function skipToMain(event: { preventDefault: () => void }) {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

/** What is not real must be said where it shows. */
function StandInBanner() {
  const { standIns } = usePortal();
  if (standIns.length === 0) return null;
  return (
    <div className="banner" role="note">
      <strong>Development only.</strong> Stand-ins here: {standIns.join(', ')}. Nothing here is worth, or protects,
      anything.
    </div>
  );
}

function Menu({ current }: { readonly current: string | undefined }) {
  return (
    <nav aria-label="Pages">
      {PAGE_GROUPS.map((group) => (
        <div className="nav-group" key={group.title}>
          <p id={`nav-${group.title}`}>{group.title}</p>
          <ul aria-labelledby={`nav-${group.title}`}>
            {group.pages.map(({ path, name }) => (
              <li key={path}>
                <a href={routeTo(path)} aria-current={path === current ? 'page' : undefined}>
                  {name}
                </a>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}

function NoSuchPage() {
  return (
    <>
      <PageHead title="No such page">The address names a page that does not exist here.</PageHead>
      <Empty>
        <a href={routeTo(START_PAGE)}>Go to the datasets</a>
      </Empty>
    </>
  );
}
