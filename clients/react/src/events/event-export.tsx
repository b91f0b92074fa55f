import { useEffect, useRef, useState } from "react";
import { useApi } from "../context";
import { Button } from "../ui/ui";
import { nameOf, readBlob, saveBlob, sizeOf } from "./download";
import type { EventColumn } from "./columns";
import { eventParameters, type EventFilters } from "./filters";

type Format = "csv" | "ndjson";

/** A file of all events that match, in the order and with the columns of the table. */
export function EventExport({ filters, columns }: { filters: EventFilters; columns: readonly EventColumn[] }) {
  const api = useApi();
  const [bytes, setBytes] = useState<number | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  async function save(format: Format) {
    const abort = new AbortController();
    running.current = abort;
    setProblem(null);
    setBytes(0);
    try {
      const query = { ...eventParameters(filters), format, columns: [...columns] };
      const answer = await api.raw("/api/usage/events/export", query, { signal: abort.signal });
      const blob = await readBlob(answer, (progress) => setBytes(progress.bytes));
      saveBlob(blob, nameOf(answer, `usage-events.${format}`));
    } catch (error) {
      if (!abort.signal.aborted) setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      running.current = null;
      setBytes(null);
    }
  }

  return (
    <div className="ts-export">
      {bytes === null ? (
        <>
          <span className="ts-muted" aria-hidden="true">Export</span>
          <Button size="small" aria-label="Export CSV" onClick={() => void save("csv")}>CSV</Button>
          <Button size="small" aria-label="Export NDJSON" onClick={() => void save("ndjson")}>NDJSON</Button>
        </>
      ) : (
        <>
          <span role="status">Writing the file: {sizeOf(bytes)}</span>
          <Button size="small" onClick={() => running.current?.abort()}>Cancel</Button>
        </>
      )}
      {problem && <p role="alert" className="ts-problem">The file could not be written: {problem}</p>}
    </div>
  );
}
