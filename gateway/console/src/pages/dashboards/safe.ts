/** safe tells links to pages from those that would run something. */
export function safe(href: string): boolean {
  return /^(https?:\/\/|mailto:|#|\/(?!\/))/i.test(href);
}
