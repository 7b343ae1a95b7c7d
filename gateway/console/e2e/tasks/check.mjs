/** must throws unless something is so. */
export function must(so, what) {
  if (!so) throw new Error(what);
}

/** fillEditor puts a text into the code editor, in place of all that is there. */
export async function fillEditor(tab, text) {
  const editor = tab.locator(".cm-content").first();
  await editor.click();
  await tab.keyboard.press("Control+a");
  await tab.keyboard.press("Delete");
  await tab.keyboard.insertText(text);
}
