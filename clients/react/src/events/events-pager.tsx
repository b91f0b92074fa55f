import { Button, Time } from "../ui/ui";

export interface EventsPagerProps {
  place: number;
  count: number;
  lookedTo: string | null;
  busy: boolean;
  onBack: (() => void) | null;
  onForward: (() => void) | null;
}

/** Which page this is, and the way to the next and back. */
export function EventsPager({ place, count, lookedTo, busy, onBack, onForward }: EventsPagerProps) {
  return (
    <nav className="ts-pager" aria-label="Pages of events">
      <p className="ts-muted" role="status">
        {busy ? "Reading …" : `Page ${place}, ${count === 1 ? "1 event" : `${count} events`}`}
        {!busy && lookedTo && <> · looked as far as <Time at={lookedTo} /></>}
      </p>
      <div className="ts-pager__buttons">
        <Button disabled={!onBack} onClick={() => onBack?.()}>
          Back
        </Button>
        <Button disabled={!onForward || busy} onClick={() => onForward?.()}>
          {lookedTo ? "Look further" : "Next"}
        </Button>
      </div>
    </nav>
  );
}
