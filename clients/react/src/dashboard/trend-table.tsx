import { useState } from "react";

import type { ChartSeries } from "../charts/trend-chart";
import { Num } from "../ui/ui";

/** The same as the chart in numbers, for reading, copying and for who can't see a chart. */
export function TrendTable({ names, series, unit }: { names: readonly string[]; series: readonly ChartSeries[]; unit: string }) {
  const [open, setOpen] = useState(false);
  return (
    <details className="ts-details" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>As a table</summary>
      {open && (
        <div className="ts-scroll" tabIndex={0} role="region" aria-label="The trend as a table">
          <table className="ts-table">
            <thead>
              <tr>
                <th scope="col">From</th>
                {series.map((each) => (
                  <th scope="col" key={each.name} className="ts-right">
                    {each.name} ({unit})
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {names.map((name, at) => (
                <tr key={`${at} ${name}`}>
                  <th scope="row">{name}</th>
                  {series.map((each) => (
                    <td key={each.name} className="ts-right">
                      <Num value={each.values[at]} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}
