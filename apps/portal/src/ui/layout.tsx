import { useEffect, useId, useRef, type ReactNode } from 'react';

/** The head of a page. It takes the focus when the page opens, as a browser does for a new document. */
export function PageHead({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Usufruct`;
    heading.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [title]);
  return (
    <header className="page-head">
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      <p>{children}</p>
    </header>
  );
}

interface PanelProps {
  readonly title: string;
  readonly actions?: ReactNode;
  readonly lead?: ReactNode;
  readonly children?: ReactNode;
}

export function Panel({ title, actions, lead, children }: PanelProps) {
  const id = useId();
  return (
    <section className="panel" aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {actions}
      </header>
      <div className="stack">
        {lead !== undefined && <p className="panel-lead">{lead}</p>}
        {children}
      </div>
    </section>
  );
}

export type Tone = 'neutral' | 'good' | 'bad' | 'warn';

export function Chip({ tone = 'neutral', children }: { readonly tone?: Tone; readonly children: ReactNode }) {
  return <span className={tone === 'neutral' ? 'chip' : `chip ${tone}`}>{children}</span>;
}

export function Notice({ tone = 'neutral', children }: { readonly tone?: Tone; readonly children: ReactNode }) {
  return (
    <div className={tone === 'neutral' ? 'notice' : `notice ${tone}`} role="status">
      {children}
    </div>
  );
}

export function Empty({ children }: { readonly children: ReactNode }) {
  return <p className="empty">{children}</p>;
}

export function Loading({ what }: { readonly what: string }) {
  return (
    <p className="row hint" role="status">
      <span className="spinner" aria-hidden="true" /> Reading {what}…
    </p>
  );
}

/** A list of terms and what they are. */
export function Facts({ entries }: { readonly entries: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="facts">
      {entries.map(([term, description]) => (
        <div key={term} style={{ display: 'contents' }}>
          <dt>{term}</dt>
          <dd>{description}</dd>
        </div>
      ))}
    </dl>
  );
}
