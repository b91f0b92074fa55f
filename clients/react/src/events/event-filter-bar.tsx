import { useEffect, useId, useState, type ReactNode } from "react";
import { Badge, Button } from "../ui/ui";
import { countOfFilters, type EventFilters } from "./filters";
import { fromLocalInput, toLocalInput } from "./local-time";

export interface EventFilterBarProps {
  filters: EventFilters;
  onChange: (filters: EventFilters) => void;
  /** Names to choose a team from; none: it is typed. Null: the team is given and can't be chosen. */
  teams: readonly { id: string; name?: string | null }[] | null;
  /** Names to choose a metric from. */
  metrics: readonly string[];
}

/** Search, team and interval in one line; the rest behind a button that says how many filters are set there. */
export function EventFilterBar({ filters, onChange, teams, metrics }: EventFilterBarProps) {
  const [open, setOpen] = useState(() => countOfFilters(filters) > 0);
  const panel = useId();
  const hidden = countOfFilters(filters);
  const change = (changes: Partial<EventFilters>) => onChange({ ...filters, ...changes });

  return (
    <div className="ts-filters" role="search" aria-label="Filter events">
      <div className="ts-filters__line">
        <Typed label="Search" className="ts-filters__search" type="search" value={filters.search}
          placeholder="Name, user, key or metadata" onCommit={(search) => change({ search })} />
        {teams !== null && (
          <Typed label="Team" value={filters.team} placeholder="All teams" options={teams.map((team) => team.id)}
            onCommit={(team) => change({ team, sort: undefined })} />
        )}
        <Button className="ts-filters__more" aria-expanded={open} aria-controls={panel}
          onClick={() => setOpen(!open)}>
          Filters{hidden > 0 && <Badge tone="info">{hidden}</Badge>}
        </Button>
        {(hidden > 0 || filters.search || (teams !== null && filters.team)) && (
          <Button variant="quiet"
            onClick={() => onChange(teams === null ? { team: filters.team } : {})}>
            Clear
          </Button>
        )}
      </div>
      <div id={panel} className="ts-filters__panel" hidden={!open}>
        {open && <MoreFilters filters={filters} metrics={metrics} change={change} />}
      </div>
    </div>
  );
}

interface MoreFiltersProps {
  filters: EventFilters;
  metrics: readonly string[];
  change: (changes: Partial<EventFilters>) => void;
}

function MoreFilters({ filters, metrics, change }: MoreFiltersProps) {
  return (
    <>
      <Typed label="Event name" value={filters.name} onCommit={(name) => change({ name })} />
      <Field label="Counted by metric">
        {(id) => (
          <select id={id} className="ts-input ts-select" value={filters.metric ?? ""}
            onChange={(event) => change({ metric: event.target.value || undefined })}>
            <option value="">Any or none</option>
            {[...new Set([...metrics, ...(filters.metric ? [filters.metric] : [])])].map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </Field>
      <Typed label="User" value={filters.user} onCommit={(user) => change({ user })} />
      <Typed label="Idempotency key" value={filters.key} onCommit={(key) => change({ key })} />
      <Typed label="Happened from" type="datetime-local" value={toLocalInput(filters.from)}
        onCommit={(from) => change({ from: fromLocalInput(from) })} />
      <Typed label="Happened before" type="datetime-local" value={toLocalInput(filters.to)}
        onCommit={(to) => change({ to: fromLocalInput(to) })} />
      <Field label="Corrections">
        {(id) => (
          <select id={id} className="ts-input ts-select" value={String(filters.corrected ?? "")}
            onChange={(event) => change({ corrected: event.target.value ? event.target.value === "true" : undefined })}>
            <option value="">All events</option>
            <option value="false">Only those in force</option>
            <option value="true">Only voided or amended</option>
          </select>
        )}
      </Field>
      <MetadataFilter pairs={filters.metadata ?? []} onChange={(metadata) => change({ metadata })} />
    </>
  );
}

interface TypedProps {
  label: string;
  value: string | undefined;
  onCommit: (value: string | undefined) => void;
  type?: string;
  placeholder?: string;
  className?: string;
  options?: readonly string[];
}

/** A text that holds once it is finished: on Enter, when the field is left, or when typing rests. */
function Typed({ label, value, onCommit, type = "text", placeholder, className, options }: TypedProps) {
  const [text, setText] = useState(value ?? "");
  const list = useId();
  useEffect(() => setText(value ?? ""), [value]);
  useEffect(() => {
    if (text.trim() === (value ?? "") || type === "datetime-local") return;
    const timer = setTimeout(() => onCommit(text.trim() || undefined), 500);
    return () => clearTimeout(timer);
  });
  const commit = () => text.trim() !== (value ?? "") && onCommit(text.trim() || undefined);

  return (
    <Field label={label} className={className}>
      {(id) => (
        <>
          <input id={id} className="ts-input" type={type} value={text} placeholder={placeholder} autoComplete="off"
            list={options?.length ? list : undefined} onChange={(event) => setText(event.target.value)} onBlur={commit}
            onKeyDown={(event) => event.key === "Enter" && commit()} />
          {options && options.length > 0 && (
            <datalist id={list}>{options.map((option) => <option key={option} value={option} />)}</datalist>
          )}
        </>
      )}
    </Field>
  );
}

/** `key=value` pairs, each with a button that takes it away. */
function MetadataFilter({ pairs, onChange }: { pairs: readonly string[]; onChange: (pairs: string[]) => void }) {
  const [text, setText] = useState("");
  const fits = /^[^=]+=./.test(text.trim());
  const add = () => {
    if (!fits) return;
    onChange([...new Set([...pairs, text.trim()])]);
    setText("");
  };

  return (
    <Field label="Metadata" className="ts-filters__metadata">
      {(id) => (
        <div className="ts-pairs">
          {pairs.map((pair) => (
            <button key={pair} type="button" className="ts-badge ts-badge-info ts-pairs__pair"
              aria-label={`Remove ${pair}`} onClick={() => onChange(pairs.filter((each) => each !== pair))}>
              {pair} <span aria-hidden="true">×</span>
            </button>
          ))}
          <input id={id} className="ts-input" value={text} placeholder="region=eu" autoComplete="off"
            onChange={(event) => setText(event.target.value)} onBlur={add}
            onKeyDown={(event) => {
              if (event.key === "Enter") add();
            }} />
        </div>
      )}
    </Field>
  );
}

function Field({ label, className = "", children }: {
  label: string;
  className?: string;
  children: (id: string) => ReactNode;
}) {
  const id = useId();
  return (
    <div className={`ts-field ${className}`}>
      <label className="ts-field-label" htmlFor={id}>{label}</label>
      {children(id)}
    </div>
  );
}
