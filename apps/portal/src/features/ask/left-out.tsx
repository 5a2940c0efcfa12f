import { CATALOGUE, isErrorCode } from '@usufruct/kernel';

interface LeftOutProps {
  readonly leftOut: readonly { readonly code: string }[];
}

/** Why contributions may not be used, and how many for each reason. */
export function LeftOut({ leftOut }: LeftOutProps) {
  if (leftOut.length === 0) return 'none';
  const counts = new Map<string, number>();
  for (const { code } of leftOut) counts.set(code, (counts.get(code) ?? 0) + 1);
  return (
    <ul className="plain-list">
      {[...counts].map(([code, count]) => (
        <li key={code} data-left-out={code}>
          {count}: {isErrorCode(code) ? CATALOGUE[code].message : 'Refused'} (<code>{code}</code>)
        </li>
      ))}
    </ul>
  );
}
