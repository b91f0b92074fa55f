import { useEffect, useRef } from "react";

export interface ColumnPickerProps<Column extends string> {
  all: readonly Column[];
  titles: Record<Column, string>;
  chosen: readonly Column[];
  onChange: (chosen: Column[]) => void;
}

/** Which columns are shown; one always is. */
export function ColumnPicker<Column extends string>({ all, titles, chosen, onChange }: ColumnPickerProps<Column>) {
  const box = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: Event) => {
      const outside = event.target instanceof Node && !box.current?.contains(event.target);
      if (box.current && (outside || (event instanceof KeyboardEvent && event.key === "Escape"))) box.current.open = false;
    };
    document.addEventListener("pointerdown", close);
    document.addEventListener("keydown", close);
    return () => {
      document.removeEventListener("pointerdown", close);
      document.removeEventListener("keydown", close);
    };
  }, []);

  return (
    <details className="ts-picker" ref={box}>
      <summary className="ts-button ts-button-plain ts-button-small">Columns</summary>
      <fieldset className="ts-picker__list">
        <legend className="ts-hidden">Columns that are shown</legend>
        {all.map((name) => {
          const on = chosen.includes(name);
          return (
            <label key={name}>
              <input type="checkbox" checked={on} disabled={on && chosen.length === 1}
                onChange={() => onChange(all.filter((each) => (each === name ? !on : chosen.includes(each))))} />
              {titles[name]}
            </label>
          );
        })}
      </fieldset>
    </details>
  );
}
