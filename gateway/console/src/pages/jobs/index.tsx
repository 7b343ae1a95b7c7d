import { Route, Switch } from "wouter";
import { JobPage } from "./job";
import { JobList } from "./list";
import { NewJob } from "./new";
import "./jobs.css";

export default function JobsPage() {
  return (
    <Switch>
      <Route path="/jobs/new">
        <NewJob />
      </Route>
      <Route path="/jobs/:name">{({ name }) => <JobPage key={name} name={decodeURIComponent(name)} />}</Route>
      <Route>
        <JobList />
      </Route>
    </Switch>
  );
}
