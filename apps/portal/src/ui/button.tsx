import type { ComponentProps, ReactNode } from 'react';

interface ButtonProps extends Omit<ComponentProps<'button'>, 'className'> {
  readonly look?: 'plain' | 'primary' | 'danger';
  readonly small?: boolean;
  readonly busy?: boolean;
  readonly children: ReactNode;
}

/** A button that says when it is at work. While busy it keeps the focus and takes no second press. */
export function Button({ look = 'plain', small = false, busy = false, type = 'button', ...rest }: ButtonProps) {
  const className = ['button', look === 'plain' ? '' : look, small ? 'small' : ''].filter(Boolean).join(' ');
  return (
    <button {...rest} type={type} className={className} aria-busy={busy} disabled={rest.disabled === true || busy} />
  );
}
