import { Page } from "@/ui";

export default function DashboardsPage() {
  return <Page title="Dashboards">{null}</Page>;
}
