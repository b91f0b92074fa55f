import { Badge } from "../ui/ui";
import { formatInstant } from "../format";
import type { LiveState } from "./use-live";

const WORDS = { connecting: "Connecting…", open: "Live", waiting: "Reconnecting…", closed: "Not live" } as const;

/** Whether what is shown moves by itself, and from when it is where it does not. */
export function LiveBadge({ live }: { live: LiveState }) {
  const stale = live.state === "waiting" || live.state === "closed";
  return (
    <span role="status" className="ts-live" data-state={live.state} title={live.heardAt ? `Last heard ${formatInstant(live.heardAt)}` : undefined}>
      <Badge tone={live.state === "open" ? "good" : stale ? "warn" : "neutral"}>
        <span className="ts-live-dot" aria-hidden="true" />
        {WORDS[live.state]}
        {stale && live.heardAt && ` · as of ${live.heardAt.toLocaleTimeString()}`}
      </Badge>
    </span>
  );
}
