// Several words without anything between them mean any of them: most who write them want all.

// What gives a query a meaning of its own: then nothing is to be explained.
const SYNTAX = /["():[\]{}^~*?\\/<>=]|(?:^|\s)[+\-!]|&&|\|\|/;
const OPERATORS = new Set(["AND", "OR", "NOT"]);

/** bareWords are the words of a query that has several, and nothing else. */
export function bareWords(query: string): string[] | undefined {
  if (SYNTAX.test(query)) return undefined;
  const words = query.split(/\s+/).filter(Boolean);
  return words.length > 1 && !words.some((word) => OPERATORS.has(word)) ? words : undefined;
}

/** allOf are the ways to want all of the words: anywhere, or one behind the other. */
export function allOf(words: readonly string[]): { all: string; phrase: string } {
  return { all: words.join(" AND "), phrase: `"${words.join(" ")}"` };
}
