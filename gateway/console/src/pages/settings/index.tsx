import { Redirect, Route, Switch } from "wouter";
import { About } from "./about";
import { Account } from "./account";
import { Audit } from "./audit";
import { Services } from "./services";
import { Tokens } from "./tokens";
import { Users } from "./users";

export default function SettingsPage() {
  return (
    <Switch>
      <Route path="/settings/account" component={Account} />
      <Route path="/settings/users" component={Users} />
      <Route path="/settings/tokens" component={Tokens} />
      <Route path="/settings/audit" component={Audit} />
      <Route path="/settings/services" component={Services} />
      <Route path="/settings/about" component={About} />
      <Route>
        <Redirect to="/settings/account" replace />
      </Route>
    </Switch>
  );
}
