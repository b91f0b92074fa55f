export { DEFAULT_COLUMNS, EVENT_COLUMNS, type EventColumn } from "./columns";
export { EventTraceDrawer, type EventTraceDrawerProps } from "./event-trace-drawer";
export { eventParameters, filtersFromUrl, filtersToUrl, type EventFilters, type EventSort } from "./filters";
export type { EventTrace, ShownPage, UsageEvent as LoggedEvent } from "./pages";
export { UsageDetailsTable, type UsageDetailsTableProps } from "./usage-details-table";
export { useEvents, useEventTrace } from "./use-events";
