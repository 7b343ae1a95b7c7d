/**
 * safeNext is where a login leads: a path of this console. Others, such as //example.com,
 * would lead people who have just typed a password somewhere else.
 */
export function safeNext(next: string | null | undefined, origin: string): string {
  if (!next?.startsWith("/")) return "/flow";
  try {
    const there = new URL(next, origin);
    if (there.origin !== origin || there.pathname === "/login" || there.pathname.startsWith("//")) return "/flow";
    return there.pathname + there.search + there.hash;
  } catch {
    return "/flow";
  }
}

const LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/** makePassword is a password of 20 letters and digits that are not taken for one another. */
export function makePassword(random: (bytes: Uint8Array) => Uint8Array = (b) => crypto.getRandomValues(b)): string {
  let password = "";
  // Bytes beyond the last whole round of letters would favour the first ones.
  const limit = 256 - (256 % LETTERS.length);
  while (password.length < 20) {
    for (const byte of random(new Uint8Array(32))) {
      if (byte < limit && password.length < 20) password += LETTERS[byte % LETTERS.length];
    }
  }
  return password;
}

export type PasswordProblem = "short" | "differ";

/** passwordProblem is what is wrong with a new password, typed twice. */
export function passwordProblem(password: string, repeat: string): PasswordProblem | undefined {
  if ([...password].length < 12) return "short";
  return password === repeat ? undefined : "differ";
}
