import { registerWallet } from '@mysten/wallet-standard';
import { refuse, toUsufructError } from '@usufruct/kernel';
import { StrictMode, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/app.js';
import { loadConfig } from './app/config.js';
import { PortalProvider } from './app/portal.js';
import './styles/base.css';
import './styles/shell.css';
import './styles/parts.css';
import { PageHead } from './ui/layout.js';
import { Refusal } from './ui/refusal.js';
import { DevWallet } from './wallet/dev-wallet.js';

const container = document.getElementById('root');
if (container === null) throw new Error('index.html has no element with the id root');
const root = createRoot(container);

try {
  // Without one a browser gives no WebCrypto: nothing here could keep what it promises.
  if (!window.isSecureContext) throw refuse('CONFIG_INVALID', { setting: 'https', reason: 'no secure context' });
  const config = await loadConfig(window.fetch.bind(window), document.baseURI);
  const devWallet = config.devWallet ? new DevWallet(config, window.localStorage) : null;
  if (devWallet !== null) registerWallet(devWallet);
  show(
    <PortalProvider config={config} devWallet={devWallet}>
      <App />
    </PortalProvider>,
  );
} catch (error) {
  show(
    <main>
      <PageHead title="The portal cannot start">Nothing was sent and nothing was signed.</PageHead>
      <Refusal error={toUsufructError(error)} />
    </main>,
  );
}

function show(content: ReactNode): void {
  root.render(<StrictMode>{content}</StrictMode>);
}
