import { useState } from "react";
import { useApi } from "../context";
import { CopyText } from "../ui/copy-text";
import { Badge, Button, Time } from "../ui/ui";
import { formatPeriod } from "./period";
import type { Verification } from "./use-statement";

const TONES: Record<string, "neutral" | "good" | "warn" | "bad" | "info"> = {
  active: "info",
  closed: "neutral",
  invoiced: "info",
  paid: "good",
  void: "warn",
};

/** What a status is called. */
export function StatusBadge({ status }: { status: string }) {
  return <Badge tone={TONES[status] ?? "neutral"}>{status === "active" ? "open" : status}</Badge>;
}

export interface StatementHeadProps {
  team: string;
  start: string;
  end: string;
  status: string;
  zone?: string;
  plan?: string | null;
  id?: number;
  kind?: string;
  closedAt?: string | null;
  digest?: string | null;
  voided?: string | null;
}

/** Whose statement it is, of which period, and how it stands. */
export function StatementHead(props: StatementHeadProps) {
  const { team, start, end, status, id } = props;
  return (
    <header className="ts-statement__head">
      <div>
        <h2>
          {formatPeriod(start, end, props.zone)} <StatusBadge status={status} />
        </h2>
        <p className="ts-muted">
          {team}
          {props.plan && <> · plan {props.plan}</>}
          {id !== undefined && <> · {props.kind === "correction" ? "correction" : "statement"} {id}</>}
          {props.closedAt && <> · closed <Time at={props.closedAt} /></>}
          {status === "active" && " · still changes"}
        </p>
        {props.voided && <p className="ts-line-detail__note ts-line-detail__note--warn">Taken out of the books: {props.voided}</p>}
      </div>
      {id !== undefined && props.digest && <Verify id={id} digest={props.digest} />}
    </header>
  );
}

/** Makes the statement anew from raw events, on the server, and says whether it comes out the same. */
function Verify({ id, digest }: { id: number; digest: string }) {
  const api = useApi();
  const [said, setSaid] = useState<string | null>(null);
  const [tone, setTone] = useState<"good" | "bad" | "neutral">("neutral");
  const [busy, setBusy] = useState(false);

  async function verify() {
    setBusy(true);
    try {
      const found = await api.get<Verification>(`/api/billing/statements/${id}/verify`);
      const agrees = found.agrees && found.intact;
      setTone(agrees ? "good" : "bad");
      const lines = found.differences.length === 1 ? "1 line differs" : `${found.differences.length} lines differ`;
      setSaid(agrees ? "Raw events, prices and terms give exactly this again." : !found.intact ? "What is stored is not what was closed." : `Made anew, ${lines}.`);
    } catch (error) {
      setTone("bad");
      setSaid(error instanceof Error ? error.message : String(error));
    }
    setBusy(false);
  }

  return (
    <div className="ts-verify">
      <Button disabled={busy} onClick={() => void verify()}>
        {busy ? "Checking …" : "Check against raw events"}
      </Button>
      <p role="status" data-tone={tone}>{said}</p>
      <details>
        <summary className="ts-muted">Digest</summary>
        <CopyText text={digest} label="the digest" />
      </details>
    </div>
  );
}
