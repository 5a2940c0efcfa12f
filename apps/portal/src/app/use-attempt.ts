import { useRef } from 'react';

/**
 * A key that names what the user is about to do. The same content keeps its key, so that pressing again after a lost
 * answer does it once; other content is another thing and gets another key.
 */
export function useAttemptKey(): (content: string) => string {
  const attempt = useRef<{ readonly key: string; readonly content: string }>(undefined);
  return (content) => {
    if (attempt.current?.content !== content) attempt.current = { key: crypto.randomUUID(), content };
    return attempt.current.key;
  };
}
