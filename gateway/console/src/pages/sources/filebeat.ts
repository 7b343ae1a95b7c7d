/** Wanted is what one wants collected: a file, or a pattern of files, into a topic. */
export interface Wanted {
  path: string;
  topic: string;
  /** ingest is where the agent sends to. */
  ingest: string;
}

/** INGEST is where ingest listens unless it is told otherwise. */
export const INGEST = "127.0.0.1:7070";

// Kafka's own limit of a topic's name.
const LONGEST = 249;

/**
 * topicOf makes a topic's name of a path: of the file's name without its ending, or of
 * the directory where the name is only a pattern.
 */
export function topicOf(path: string): string {
  for (const one of path.split(/[\\/]+/).reverse()) {
    const name = one
      // What a rotation and the ending add says nothing: app-*.log.1, app.log*
      .replace(/(\.(log|txt|json|jsonl|ndjson|out|err|csv|\*|\d+))+\*?$/i, "")
      .replace(/\[[^\]]*\]/g, "")
      .replace(/[*?{}]/g, "")
      .replace(/[^A-Za-z0-9._-]+/g, "-")
      .replace(/^[-._]+|[-._]+$/g, "")
      .slice(0, LONGEST);
    if (name !== "" && !/^(log|logs)$/i.test(name)) return name;
  }
  return "logs";
}

export type Wrong = "needed" | "relative" | "name";

/** wrongPath says what is wrong with a path: an agent looks from where it is started, so it must be whole. */
export function wrongPath(path: string): Wrong | undefined {
  if (path.trim() === "") return "needed";
  return /^(\/|[A-Za-z]:[\\/]|\\\\)/.test(path.trim()) ? undefined : "relative";
}

export function wrongTopic(topic: string): Wrong | undefined {
  if (topic === "") return "needed";
  return /^[A-Za-z0-9._-]+$/.test(topic) && topic.length <= LONGEST && !/^\.{1,2}$/.test(topic) ? undefined : "name";
}

/** plain are texts that YAML takes for themselves without quotes. */
const PLAIN = /^[A-Za-z/][A-Za-z0-9/._-]*$/;
const WORDS = /^(y|n|yes|no|on|off|true|false|null)$/i;

function scalar(text: string): string {
  if (PLAIN.test(text) && !WORDS.test(text)) return text;
  // JSON's strings are YAML's, too.
  return JSON.stringify(text);
}

/** filebeatOf writes the filebeat.yml that collects what is wanted. */
export function filebeatOf(wanted: Wanted): string {
  return `filebeat.inputs:
- type: filestream
  id: ${scalar(wanted.topic)}
  paths:
  - ${scalar(wanted.path.trim())}

output.ingest:
  hosts: [${JSON.stringify(wanted.ingest)}]
  topic: ${scalar(wanted.topic)}
`;
}

/** onlyHere says that an address is reached from its own machine alone. */
export function onlyHere(address: string): boolean {
  return /^(127\.|localhost[:]|\[::1\])/i.test(address);
}

/** reached puts the host by which the console is reached in the place of “any address”, which is none to send to. */
export function reached(address: string, host: string): string {
  const [, port] = /^(?:0\.0\.0\.0|\[::\]|\*)?:(\d+)$/.exec(address) ?? [];
  return port ? `${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}` : address;
}
