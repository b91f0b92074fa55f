import type { Report } from "../api/types";

/** What a reader has to know before they trust the numbers. */
export function Notices({ report, problem }: { report: Report; problem: Error | null }) {
  const waiting = report.dead_letters.reduce((sum, each) => sum + each.letters, 0);
  const unvalued = report.metrics.filter((metric) => metric.current_period.unvalued > 0);
  return (
    <>
      {problem && (
        <p className="ts-notice" role="status">
          What follows is from before: {problem.message}
        </p>
      )}
      {waiting > 0 && (
        <p className="ts-notice">
          {waiting === 1 ? "1 event of this period was" : `${waiting} events of this period were`} rejected and{" "}
          {waiting === 1 ? "waits" : "wait"} to be repaired; no number here has {waiting === 1 ? "it" : "them"} in it.
        </p>
      )}
      {unvalued.map((metric) => (
        <p className="ts-notice" key={metric.metric}>
          {metric.metric}: the value of {metric.current_period.unvalued} events could not be read.
        </p>
      ))}
    </>
  );
}
