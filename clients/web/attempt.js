// One try of what a dialog asks for: its button rests meanwhile, and what went wrong is said in it.

import { say } from "./notice.js";
import { setText } from "./patch.js";

/**
 * Carry out what a dialog asks for; resolves to whether it was done.
 *
 * `work()` throws a sentence. Where `isOpen()` says that the dialog is no longer the one that asked, the sentence is shown outside.
 */
export async function attempt(dialog, isOpen, work) {
  const [wrong, button] = [dialog.querySelector(".wrong"), dialog.querySelector(".primary")];
  wrong.hidden = button.disabled = true;
  try {
    await work();
    return true;
  } catch (error) {
    if (isOpen()) {
      setText(wrong, error.message);
      wrong.hidden = button.disabled = false;
    } else say(error.message);
    return false;
  }
}
