/** The mark: four notches and the one that crosses them. */
export function Mark({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="#0f766e" />
      <g stroke="#fff" strokeWidth="2.6" strokeLinecap="round">
        <path d="M9 8v16M14 8v16M19 8v16M24 8v16" />
        <path d="M5.5 21 27 11" stroke="#fcd34d" />
      </g>
    </svg>
  );
}
