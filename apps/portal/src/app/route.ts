import { useSyncExternalStore } from 'react';

export interface Route {
  readonly page: string;
  readonly query: URLSearchParams;
}

/** The address after `#`: the portal is static files that must work under any path without a server's help. */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  return { page: path, query: new URLSearchParams(query) };
}

export function routeTo(page: string, query: Readonly<Record<string, string>> = {}): string {
  const text = new URLSearchParams(query).toString();
  return `#/${page}${text === '' ? '' : `?${text}`}`;
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(onHashChange, () => window.location.hash);
  return parseRoute(hash);
}

function onHashChange(changed: () => void): () => void {
  window.addEventListener('hashchange', changed);
  return () => window.removeEventListener('hashchange', changed);
}
