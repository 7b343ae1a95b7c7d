interface Named {
  id?: string;
  name?: string;
}

/** alike are the ids of those agents whose name another one has, too. */
export function alike(agents: readonly Named[]): string[] {
  const times = new Map<string, number>();
  for (const { name = "" } of agents) times.set(name, (times.get(name) ?? 0) + 1);
  return agents.flatMap(({ id, name = "" }) => (id && (times.get(name) ?? 0) > 1 ? [id] : []));
}
