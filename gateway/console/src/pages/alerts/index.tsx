import { Route, Switch } from "wouter";
import { AlertPage } from "./alert-page";
import { Deliveries } from "./deliveries";
import { AlertList } from "./list";
import { OnCall } from "./oncall";
import { Policies } from "./policies";
import { NewPolicy, PolicyPage } from "./policy-page";
import { NewRota, RotaPage } from "./rota-page";
import { Silences } from "./silences";
import { NewTemplate, TemplatePage } from "./template-page";
import { Templates } from "./templates";

export default function AlertsPage() {
  return (
    <Switch>
      <Route path="/alerts/policies" component={Policies} />
      <Route path="/alerts/policies/new" component={NewPolicy} />
      <Route path="/alerts/policies/:name">
        {({ name }) => <PolicyPage key={name} name={decodeURIComponent(name)} />}
      </Route>
      <Route path="/alerts/silences" component={Silences} />
      <Route path="/alerts/deliveries" component={Deliveries} />
      <Route path="/alerts/oncall" component={OnCall} />
      <Route path="/alerts/oncall/new" component={NewRota} />
      <Route path="/alerts/oncall/:name">{({ name }) => <RotaPage key={name} name={decodeURIComponent(name)} />}</Route>
      <Route path="/alerts/templates" component={Templates} />
      <Route path="/alerts/templates/new" component={NewTemplate} />
      <Route path="/alerts/templates/:id">{({ id }) => <TemplatePage key={id} id={decodeURIComponent(id)} />}</Route>
      <Route path="/alerts/:fingerprint">
        {({ fingerprint }) => <AlertPage key={fingerprint} fingerprint={decodeURIComponent(fingerprint)} />}
      </Route>
      <Route>
        <AlertList />
      </Route>
    </Switch>
  );
}
