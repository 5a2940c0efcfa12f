import { LIMITS } from '@usufruct/protocol';
import { formatBytes } from '../../app/format.js';
import { Button } from '../../ui/button.js';
import { Notice } from '../../ui/layout.js';

/** It can be stored, and would wait there for a runner that reads more. */
export const isTooLarge = ({ size }: File): boolean => size > LIMITS.documentBytes;

export const LARGEST_READ = formatBytes(LIMITS.documentBytes);

interface TooLargeProps {
  readonly files: readonly File[];
  readonly onContribute: () => void;
  readonly onLeave: () => void;
}

/** Said, and asked, before anything of them is uploaded. */
export function TooLarge({ files, onContribute, onLeave }: TooLargeProps) {
  if (files.length === 0) return null;
  return (
    <Notice tone="warn">
      <p>Runners read documents of at most {LARGEST_READ}. These would be stored, and left out of every answer:</p>
      <ul>
        {files.map(({ name, size }) => (
          <li key={name}>
            {name} <span className="hint">{formatBytes(size)}</span>
          </li>
        ))}
      </ul>
      <div className="row">
        <Button small onClick={onLeave}>
          Leave them
        </Button>
        <Button small onClick={onContribute}>
          Contribute them all the same
        </Button>
      </div>
    </Notice>
  );
}
