import { Button, Segmented, type Session } from "@tallystick/react";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { Link, useLocation } from "wouter";

import { useTheme, type Theme } from "../theme";
import { Mark } from "./mark";

type Place = { href: string; name: string; all?: boolean };

const PLACES: readonly Place[] = [
  { href: "/", name: "Overview" },
  { href: "/events", name: "Events" },
  { href: "/invoices", name: "Invoices" },
  { href: "/alerts", name: "Alerts" },
  { href: "/catalogue", name: "Catalogue", all: true },
  { href: "/status", name: "Status", all: true },
];

const THEMES: readonly { value: Theme; label: string }[] = [
  { value: "system", label: "Auto" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
];

type ShellProps = { session: Session; onLogOut: (() => void) | null; children: ReactNode };

/** What is around every page: where one is, where one can go, and who one is. Embedded pages are bare. */
export function Shell({ session, onLogOut, children }: ShellProps) {
  const [location] = useLocation();
  const [open, setOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    setOpen(false);
    window.scrollTo(0, 0);
  }, [location]);
  if (location.startsWith("/embed/")) return <main className="ts-root app-embed">{children}</main>;
  return (
    <div className="ts-root app">
      <a
        className="app-skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to the content
      </a>
      <header className="app-side" data-open={open}>
        <div className="app-brand">
          <Link href="/" className="app-name">
            <Mark /> Tallystick
          </Link>
          <Button variant="quiet" className="app-menu" aria-expanded={open} aria-controls="navigation" onClick={() => setOpen(!open)}>
            {open ? "Close" : "Menu"}
          </Button>
        </div>
        <div className="app-fold" id="navigation">
          <nav aria-label="Pages" className="app-nav">
            {PLACES.filter((place) => !place.all || !session.team_id).map((place) => (
              <Link key={place.href} href={place.href} className="app-link" aria-current={isCurrent(place.href, location) ? "page" : undefined}>
                {place.name}
              </Link>
            ))}
          </nav>
          <Who session={session} onLogOut={onLogOut} />
        </div>
      </header>
      <main className="app-main" id="main" ref={main} tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

function isCurrent(href: string, location: string): boolean {
  return href === "/" ? location === "/" || location.startsWith("/teams/") : location.startsWith(href);
}

function Who({ session, onLogOut }: Omit<ShellProps, "children">) {
  const [theme, setTheme] = useTheme();
  return (
    <div className="app-who">
      <Segmented label="Theme" options={THEMES} value={theme} onChange={setTheme} />
      <p className="ts-muted">
        {session.mode === "dev" ? "Dev mode: no key is needed" : `${session.mode === "portal" ? "Portal" : "Key"}${session.name ? ` ${session.name}` : ""}`}
        <br />
        <a className="ts-link" href="/docs">
          API
        </a>{" "}
        · {session.version}
      </p>
      {onLogOut && (
        <Button size="small" onClick={onLogOut}>
          Log out
        </Button>
      )}
    </div>
  );
}
