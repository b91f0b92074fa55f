import { useEffect, useState } from "react";
import { Button } from "./ui";

/** A text in fixed-width letters with a button that copies it. */
export function CopyText({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false);

  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);

  return (
    <span className="ts-copy">
      <code>{text}</code>
      <Button
        variant="quiet"
        size="small"
        aria-label={`Copy ${label}`}
        onClick={() => void navigator.clipboard?.writeText(text).then(() => setCopied(true))}
      >
        {copied ? "Copied" : "Copy"}
      </Button>
    </span>
  );
}
