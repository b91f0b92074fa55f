import { Api, Problem, TallystickProvider, type Session } from "@tallystick/react";
import { useCallback, useEffect, useMemo, useState } from "react";

import { Pages } from "./routes";
import { setToken, token, useToken } from "./session";
import { Connecting } from "./shell/connecting";
import { Login } from "./shell/login";
import { Shell } from "./shell/shell";

type Standing =
  | { is: "asking"; problem: Problem | null }
  | { is: "out"; reason: string | null }
  | { is: "in"; session: Session; token: string | null };

/** Asks the server who is here; shows the login, or the pages. */
export function App() {
  const current = useToken();
  const [standing, setStanding] = useState<Standing>({ is: "asking", problem: null });
  const [attempt, setAttempt] = useState(0);
  const refused = useCallback((problem: Problem) => {
    if (!token()) return; // the first of several answers has said it already
    setStanding({ is: "out", reason: `You were logged out: ${problem.detail}` });
    setToken(null);
  }, []);

  useEffect(() => {
    const over = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const api = new Api({ token: current });
    api.get<Session>("/api/session", undefined, { signal: over.signal }).then(
      (session) => !over.signal.aborted && setStanding({ is: "in", session, token: current }),
      (error: unknown) => {
        if (over.signal.aborted || !(error instanceof Problem)) return;
        if (!error.transient) {
          // A token that was refused is forgotten; without one there is nothing to explain.
          setStanding((before) => refusal(before, current ? error : null));
          if (current) setToken(null);
          return;
        }
        setStanding({ is: "asking", problem: error });
        timer = setTimeout(() => setAttempt((before) => before + 1), 2_000);
      },
    );
    return () => {
      over.abort();
      clearTimeout(timer);
    };
  }, [current, attempt]);

  const logOut = useMemo(
    () => () => {
      setStanding({ is: "out", reason: null });
      setToken(null);
    },
    [],
  );
  if (standing.is === "asking") return <Connecting problem={standing.problem} />;
  if (standing.is === "out") return <Login reason={standing.reason} onToken={setToken} />;
  return (
    <TallystickProvider token={token} session={standing.session} onUnauthorized={refused}>
      <Shell session={standing.session} onLogOut={standing.token ? logOut : null}>
        <Pages session={standing.session} />
      </Shell>
    </TallystickProvider>
  );
}

/** The login with why one is there; what it said before stays where there is nothing new. */
function refusal(before: Standing, problem: Problem | null): Standing {
  if (problem) return { is: "out", reason: `This key does not open the dashboard: ${problem.detail}` };
  return before.is === "out" ? before : { is: "out", reason: null };
}
