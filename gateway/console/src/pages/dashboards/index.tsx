import { Route, Switch } from "wouter";
import "./dashboards.css";
import { DashboardList } from "./list";
import { DashboardView } from "./view";

export default function DashboardsPage() {
  return (
    <Switch>
      <Route path="/dashboards/:name">{({ name }) => <DashboardView key={name} name={name} />}</Route>
      <Route>
        <DashboardList />
      </Route>
    </Switch>
  );
}
