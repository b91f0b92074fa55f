import { CatalogueView } from "@tallystick/react";

import { PageHead } from "../shell/page-head";

export function CataloguePage() {
  return (
    <>
      <PageHead title="Catalogue" hint="What is counted, and what it costs. It is changed by the billing file." />
      <CatalogueView />
    </>
  );
}
