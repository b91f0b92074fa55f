export { AlertHistory, type AlertHistoryProps } from "./alert-history";
export { AlertPreferences } from "./alert-preferences";
export { ThresholdChart, type ThresholdChartProps } from "./threshold-chart";
export { UsageAlertsManager, type AlertsTab, type UsageAlertsManagerProps } from "./usage-alerts-manager";
export {
  useAlertHistory,
  useAlertPreferences,
  useUsageAlerts,
  type Alert,
  type AlertStatus,
  type Preferences,
  type StandingAlert,
  type Transition,
} from "./use-alerts";
