import { toUsufructError, type UsufructError } from '@usufruct/kernel';
import { useCallback, useEffect, useRef, useState } from 'react';

export interface Loaded<T> {
  readonly data: T | undefined;
  readonly error: UsufructError | undefined;
  readonly loading: boolean;
  readonly reload: () => void;
}

/**
 * Read something when the page opens and whenever `key` changes; `null` reads nothing yet. What came for an older
 * key is dropped. While reloading the last data stay, so that the page does not jump.
 */
export function useLoaded<T>(key: string | null, read: () => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{ key: string; data?: T; error?: UsufructError }>();
  const [round, setRound] = useState(0);
  const latest = useRef(read);
  latest.current = read;

  useEffect(() => {
    if (key === null) return;
    let current = true;
    latest.current().then(
      (data) => current && setState({ key, data }),
      (error: unknown) => current && setState({ key, error: toUsufructError(error) }),
    );
    return () => {
      current = false;
    };
  }, [key, round]);

  const reload = useCallback(() => setRound((before) => before + 1), []);
  const mine = state !== undefined && state.key === key ? state : undefined;
  return { data: mine?.data, error: mine?.error, loading: key !== null && mine === undefined, reload };
}

export interface Task<A extends readonly unknown[]> {
  readonly run: (...args: A) => Promise<void>;
  readonly busy: boolean;
  readonly error: UsufructError | undefined;
  readonly clear: () => void;
}

/** Something that the user starts. One at a time; what it threw is shown where it was started. */
export function useTask<A extends readonly unknown[]>(action: (...args: A) => Promise<void>): Task<A> {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<UsufructError>();
  const running = useRef(false);
  const latest = useRef(action);
  latest.current = action;

  const run = useCallback(async (...args: A) => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setError(undefined);
    try {
      await latest.current(...args);
    } catch (thrown) {
      setError(toUsufructError(thrown));
    } finally {
      running.current = false;
      setBusy(false);
    }
  }, []);
  const clear = useCallback(() => setError(undefined), []);
  return { run, busy, error, clear };
}
