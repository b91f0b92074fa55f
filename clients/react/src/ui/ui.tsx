/** Small parts that every component here is made of. Their look is in styles/ui.css. */

import { useEffect, useId, useRef, type ButtonHTMLAttributes, type ComponentProps, type ReactNode } from "react";

import { Problem } from "../api/problem";
import { formatInstant, formatMoney, formatNumber, formatRelative } from "../format";

export type Tone = "neutral" | "good" | "warn" | "bad" | "info";

/** Class names, without those that are off. */
export function classes(...names: (string | false | null | undefined)[]): string {
  return names.filter(Boolean).join(" ");
}

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  variant?: "primary" | "plain" | "quiet" | "danger";
  size?: "small" | "normal";
};

export function Button({ variant = "plain", size = "normal", className, type = "button", ...rest }: ButtonProps) {
  return <button type={type} className={classes("ts-button", `ts-button-${variant}`, `ts-button-${size}`, className)} {...rest} />;
}

export function Badge({ tone = "neutral", children }: { tone?: Tone; children: ReactNode }) {
  return <span className={`ts-badge ts-badge-${tone}`}>{children}</span>;
}

type CardProps = {
  title?: ReactNode;
  hint?: ReactNode;
  actions?: ReactNode;
  footer?: ReactNode;
  className?: string;
  children: ReactNode;
};

/** A titled part of a page. */
export function Card({ title, hint, actions, footer, className, children }: CardProps) {
  const id = useId();
  return (
    <section className={classes("ts-card", className)} aria-labelledby={title ? id : undefined}>
      {(title || actions) && (
        <header className="ts-card-head">
          <div>
            {title && (
              <h2 className="ts-card-title" id={id}>
                {title}
              </h2>
            )}
            {hint && <p className="ts-card-hint">{hint}</p>}
          </div>
          {actions && <div className="ts-card-actions">{actions}</div>}
        </header>
      )}
      <div className="ts-card-body">{children}</div>
      {footer && <footer className="ts-card-foot">{footer}</footer>}
    </section>
  );
}

/** Holds the place of what is being fetched, so that nothing jumps when it comes. */
export function Skeleton({ height = 16, width = "100%" }: { height?: number | string; width?: number | string }) {
  return <span className="ts-skeleton" style={{ height, width }} aria-hidden="true" />;
}

/** Nothing is here yet: why, and what to do. */
export function EmptyState({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="ts-empty">
      <span className="ts-empty-mark" aria-hidden="true" />
      <p className="ts-empty-title">{title}</p>
      {children && <div className="ts-empty-text">{children}</div>}
      {action}
    </div>
  );
}

/** What failed, in the server's own words. */
export function ErrorState({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const problem = error instanceof Problem ? error : null;
  return (
    <div className="ts-error" role="alert">
      <p className="ts-error-title">{problem?.title || "This could not be shown"}</p>
      <p className="ts-error-text">{problem ? problem.detail : String(error)}</p>
      {problem?.requestId && <p className="ts-error-text">Request {problem.requestId}</p>}
      {onRetry && (
        <Button size="small" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

type FieldProps = { label: string; hint?: ReactNode; error?: string | null; hideLabel?: boolean; children: ReactNode };

/** A label around one control. */
export function Field({ label, hint, error, hideLabel, children }: FieldProps) {
  return (
    <label className="ts-field">
      <span className={hideLabel ? "ts-hidden" : "ts-field-label"}>{label}</span>
      {children}
      {hint && <span className="ts-field-hint">{hint}</span>}
      {error && (
        <span className="ts-field-error" role="alert">
          {error}
        </span>
      )}
    </label>
  );
}

export function TextInput({ className, ...rest }: ComponentProps<"input">) {
  return <input className={classes("ts-input", className)} {...rest} />;
}

export function Select({ className, ...rest }: ComponentProps<"select">) {
  return <select className={classes("ts-input", "ts-select", className)} {...rest} />;
}

type SegmentedProps<Value extends string> = {
  label: string;
  options: readonly { value: Value; label: string }[];
  value: Value;
  onChange: (value: Value) => void;
};

/** One of a few, side by side: radio buttons to the keyboard and to a screen reader. */
export function Segmented<Value extends string>({ label, options, value, onChange }: SegmentedProps<Value>) {
  const name = useId();
  return (
    <fieldset className="ts-segmented">
      <legend className="ts-hidden">{label}</legend>
      {options.map((option) => (
        <label key={option.value} className="ts-segment">
          <input
            type="radio"
            name={name}
            className="ts-hidden"
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  );
}

type MeterProps = {
  /** From 0 to 1; above 1 is full. */
  value: number;
  label: string;
  tone?: Tone;
  marks?: readonly { at: number; label: string }[];
};

/** How much of something is used. */
export function Meter({ value, label, tone = "info", marks = [] }: MeterProps) {
  const filled = Math.max(0, Math.min(1, value)) * 100;
  return (
    <div
      className="ts-meter"
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(filled)}
    >
      <span className={`ts-meter-fill ts-meter-${tone}`} style={{ width: `${filled}%` }} />
      {marks.map((mark) => (
        <span key={mark.label} className="ts-meter-mark" title={mark.label} style={{ left: `${Math.min(1, mark.at) * 100}%` }} />
      ))}
    </div>
  );
}

type DialogProps = { open: boolean; onClose: () => void; title: string; children: ReactNode; footer?: ReactNode };

function Modal({ open, onClose, title, children, footer, kind }: DialogProps & { kind: "dialog" | "drawer" }) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (!dialog) return;
    if (open && !dialog.open) dialog.showModal();
    if (!open && dialog.open) dialog.close();
  }, [open]);
  return (
    <dialog
      ref={ref}
      className={`ts-modal ts-${kind}`}
      aria-labelledby={id}
      onClose={onClose}
      onClick={(event) => event.target === ref.current && onClose()}
    >
      {open && (
        <div className="ts-modal-inner">
          <header className="ts-modal-head">
            <h2 id={id}>{title}</h2>
            <Button variant="quiet" size="small" onClick={onClose} aria-label="Close">
              ✕
            </Button>
          </header>
          <div className="ts-modal-body">{children}</div>
          {footer && <footer className="ts-modal-foot">{footer}</footer>}
        </div>
      )}
    </dialog>
  );
}

/** A modal in the middle; the browser keeps the focus in it, and Escape closes it. */
export function Dialog(props: DialogProps) {
  return <Modal kind="dialog" {...props} />;
}

/** A modal at the side, for looking into one of many. */
export function Drawer(props: DialogProps) {
  return <Modal kind="drawer" {...props} />;
}

export function Money({ amount, currency }: { amount: string | null | undefined; currency: string | null | undefined }) {
  return (
    <span className="ts-number" data-value={amount ?? undefined}>
      {formatMoney(amount, currency)}
    </span>
  );
}

export function Num({ value, unit }: { value: string | number | null | undefined; unit?: string }) {
  return (
    <span className="ts-number" data-value={value ?? undefined}>
      {formatNumber(value)}
      {unit && <span className="ts-unit"> {unit}</span>}
    </span>
  );
}

export function Time({ at, timeZone, relative }: { at: string | null | undefined; timeZone?: string; relative?: boolean }) {
  if (!at) return <>–</>;
  return (
    <time dateTime={at} title={formatInstant(at, timeZone)}>
      {relative ? formatRelative(at) : formatInstant(at, timeZone)}
    </time>
  );
}

type StatProps = { label: ReactNode; value: ReactNode; hint?: ReactNode; tone?: Tone; long?: boolean };

/** One number with its name; `long` where it has so many digits that they have to be smaller. */
export function Stat({ label, value, hint, tone, long }: StatProps) {
  return (
    <div className={classes("ts-stat", tone && `ts-stat-${tone}`, long && "ts-stat-long")}>
      <dt className="ts-stat-label">{label}</dt>
      <dd className="ts-stat-value">{value}</dd>
      <dd className="ts-stat-hint">{hint ?? "\u00a0"}</dd>
    </div>
  );
}

/** What is wider than its place can be scrolled, by keyboard too. */
export function Scroll({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="ts-scroll" tabIndex={0} role="group" aria-label={label}>
      {children}
    </div>
  );
}

export function VisuallyHidden({ children }: { children: ReactNode }) {
  return <span className="ts-hidden">{children}</span>;
}
