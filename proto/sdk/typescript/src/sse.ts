/** ServerEvent is one event of a stream of server-sent events. */
export interface ServerEvent {
  event: string;
  data: string;
  id: string;
}

/**
 * EventParser takes a stream of server-sent events as it comes, cut anywhere, and gives
 * back the events that are whole.
 */
export class EventParser {
  private rest = "";
  private event = "";
  private data: string[] = [];
  private id = "";
  private afterReturn = false;

  push(chunk: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    let text = chunk;
    // A line may end in \r, \n or \r\n: the \n of one that was cut is no line of its own.
    if (this.afterReturn && text.startsWith("\n")) text = text.slice(1);
    if (chunk !== "") this.afterReturn = chunk.endsWith("\r");
    const lines = (this.rest + text).split(/\r\n|\n|\r/);
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.line(line, events);
    return events;
  }

  private line(line: string, events: ServerEvent[]): void {
    if (line === "") {
      if (this.data.length > 0) {
        events.push({ event: this.event || "message", data: this.data.join("\n"), id: this.id });
      }
      this.event = "";
      this.data = [];
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? "" : line.slice(colon + 1);
    if (value.startsWith(" ")) value = value.slice(1);
    if (field === "data") this.data.push(value);
    else if (field === "event") this.event = value;
    else if (field === "id") this.id = value;
  }
}
