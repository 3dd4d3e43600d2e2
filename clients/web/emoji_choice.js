// Has people choose an emoji: by the picker, which is loaded with all emoji when they first do.

import { loadEmoji } from "./emoji.js";
import { say } from "./notice.js";
import { gettext } from "./texts.js";

/** The picker of a document or shadow root, for all its buttons. */
export class EmojiChoice {
  #box;
  #memory;
  #picker = null;

  /** `memory` keeps which emoji were used. */
  constructor(root, memory) {
    [this.#box, this.#memory] = [root.getElementById("emoji-picker"), memory];
  }

  /** Open or close the picker beside a button; `mine` are emoji that are chosen already, `chosen(emoji)` is told the choice. */
  async toggle(button, mine, chosen) {
    try {
      if (!this.#picker) await this.#load();
    } catch {
      return say(gettext("The emoji could not be loaded. Try again when the connection is back."));
    }
    this.#picker.toggle(button, mine, chosen);
  }

  follow() {
    this.#picker?.follow();
  }

  close() {
    this.#picker?.close();
  }

  async #load() {
    const [{ EmojiPicker }, set] = await Promise.all([import("./emoji_picker.js"), loadEmoji()]);
    this.#picker ??= new EmojiPicker(this.#box, set, this.#memory);
  }
}
