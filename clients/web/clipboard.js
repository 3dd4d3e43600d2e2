// Copying a text, on plain http too.

/** Put a text on the clipboard; where the browser's own way is missing, by a field that is selected. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const focused = document.activeElement?.shadowRoot?.activeElement ?? document.activeElement;
    const field = Object.assign(document.createElement("textarea"), { value: text, readOnly: true });
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    focused?.focus({ preventScroll: true });
  }
}
