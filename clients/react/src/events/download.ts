/** A file that is written while it comes in, with a say on how far it is. */

export interface Progress {
  /** Bytes that have come. */
  bytes: number;
}

/** Read an answer's body whole, telling how much has come. The browser keeps large blobs on disk. */
export async function readBlob(answer: Response, told: (progress: Progress) => void): Promise<Blob> {
  const type = answer.headers.get("Content-Type") ?? "application/octet-stream";
  if (answer.body === null) return answer.blob();
  const reader = answer.body.getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts, { type });
    parts.push(value as Uint8Array<ArrayBuffer>);
    bytes += value.byteLength;
    told({ bytes });
  }
}

/** Hand the file to the person. */
export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** The name that the answer gives the file. */
export function nameOf(answer: Response, otherwise: string): string {
  return /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1] ?? otherwise;
}

/** Bytes as people say them. */
export function sizeOf(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(0)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
