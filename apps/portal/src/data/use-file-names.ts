import { useEffect, useState, useSyncExternalStore } from 'react';
import type { ActiveAccount } from '../app/portal.js';
import { knownFileNames } from '../work/file-names.js';

/** Names of the files that were contributed from this device, by contribution, for pages to show. */
export function useFileNames({ address, uploads }: ActiveAccount): ReadonlyMap<string, string> {
  const [names, setNames] = useState<ReadonlyMap<string, string>>(new Map());
  const done = useSyncExternalStore(uploads.subscribe, uploads.snapshot).filter(({ state }) => state === 'done').length;
  useEffect(() => {
    let current = true;
    knownFileNames(address).then(
      (known) => current && setNames(known),
      () => undefined, // names are a convenience: the ids are shown instead
    );
    return () => {
      current = false;
    };
  }, [address, done]);
  return names;
}
