import { Route, Switch } from "wouter";
import { TopicList } from "./topics";
import { Viewer } from "./viewer";
import "./messages.css";

export default function MessagesPage() {
  return (
    <Switch>
      <Route path="/messages/:topic">{({ topic }) => <Viewer key={topic} topic={decodeURIComponent(topic)} />}</Route>
      <Route>
        <TopicList />
      </Route>
    </Switch>
  );
}
