// Forms in modal dialogs: each says its own mistakes inside, and begins without those of before.

import { attempt } from "./attempt.js";
import { openDialog } from "./navigation.js";

/** Have a dialog's form carried out; `carryOut(fields)` returns when it is done and throws a sentence. A dialog may stay open then. */
export function dialogForm(form, carryOut, { stays = false } = {}) {
  const dialog = form.closest("dialog");
  const [wrong, button] = [form.querySelector(".wrong"), form.querySelector(".primary")];
  let turn = 0; // a dialog that was closed and opened again is another one

  function open() {
    turn += 1;
    wrong.hidden = true;
    button.disabled = false;
    openDialog(dialog);
  }

  async function submit() {
    const own = turn;
    const isOpen = () => own === turn && dialog.open;
    if (!(await attempt(dialog, isOpen, () => carryOut(Object.fromEntries(new FormData(form)), isOpen)))) return;
    if (stays) return void (button.disabled = false);
    if (own === turn) form.reset();
    if (isOpen()) dialog.close();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  form.querySelector("[data-closes]").addEventListener("click", () => dialog.close());
  for (const opener of document.querySelectorAll(`[data-opens="${dialog.id}"]`)) opener.addEventListener("click", open);
}
