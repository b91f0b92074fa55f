import { SystemStatus } from "@tallystick/react";

import { PageHead } from "../shell/page-head";

export function StatusPage() {
  return (
    <>
      <PageHead title="System status" hint="What comes in, what waits, and what did not go through." />
      <SystemStatus />
    </>
  );
}
