import { useRef, useState, type DragEvent } from 'react';
import { Button } from '../../ui/button.js';
import { LARGEST_READ } from './too-large.js';

interface DropZoneProps {
  readonly disabled: boolean;
  readonly onFiles: (files: File[]) => void;
}

/** Files by drag and drop, or by the button that everyone can reach. */
export function DropZone({ disabled, onFiles }: DropZoneProps) {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    if (!disabled) onFiles([...event.dataTransfer.files]);
  };
  const dragOver = (event: DragEvent) => {
    event.preventDefault();
    setOver(!disabled);
  };
  return (
    <div
      className={over ? 'drop-zone over' : 'drop-zone'}
      onDrop={drop}
      onDragOver={dragOver}
      onDragLeave={() => setOver(false)}
    >
      <strong>Drop files here</strong>
      <span className="hint">
        Text, Markdown, HTML, PDF, Word, PowerPoint, Excel, CSV, JSON or mail, of at most {LARGEST_READ}: runners read
        no larger ones. They are encrypted before they leave this device.
      </span>
      <Button look="primary" disabled={disabled} onClick={() => input.current?.click()}>
        Choose files
      </Button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label="Files to contribute"
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          event.target.value = ''; // the same file may be chosen again, to go on with it
        }}
      />
    </div>
  );
}
