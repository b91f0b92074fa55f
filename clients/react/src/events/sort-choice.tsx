import { Select } from "../ui/ui";
import type { EventSort } from "./filters";

const SORTS: readonly { sort: EventSort; title: string }[] = [
  { sort: "-occurred_at", title: "Happened last" },
  { sort: "occurred_at", title: "Happened first" },
  { sort: "-recorded_at", title: "Recorded last" },
  { sort: "recorded_at", title: "Recorded first" },
];

/** The order, where headers are out of sight or the column is not shown. Events of all teams have one clock alone. */
export function SortChoice({ sort, team, onChange }: { sort: EventSort; team: string | undefined; onChange: (sort: EventSort) => void }) {
  return (
    <Select aria-label="Order" className="ts-sort-choice" value={sort} onChange={(event) => onChange(event.target.value as EventSort)}>
      {SORTS.filter((each) => team || each.sort.endsWith("recorded_at")).map((each) => (
        <option key={each.sort} value={each.sort}>{each.title}</option>
      ))}
    </Select>
  );
}
