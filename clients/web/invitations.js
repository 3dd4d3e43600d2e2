// Invitations to rooms: the question before somebody joins by a link, and links for others.

import { AskingDialog } from "./asking.js";
import { copyText } from "./clipboard.js";
import { plain } from "./names.js";
import { openDialog } from "./navigation.js";
import { say } from "./notice.js";
import { setText } from "./patch.js";
import { gettext } from "./texts.js";

/** What a link leads to, asked before it is followed. */
export class Invitations {
  #root;
  #doors;
  #parts;
  #dialog;
  #invited = null; // {room, invitation}

  /** `doors` are those of `doorsOf` of api.js; `parts` are `join(room, invitation)`, which throws a sentence, and `open(room)`. */
  constructor(root, doors, parts) {
    this.#root = root;
    this.#doors = doors;
    this.#parts = parts;
    this.#dialog = new AskingDialog(root.getElementById("invitation-dialog"), openDialog, () => this.#join());
  }

  /** Ask whether to join the room behind a token; who is in it is shown it. */
  async follow(invitation) {
    let door;
    try {
      door = await this.#doors.behind(invitation);
    } catch (error) {
      return say(error.message);
    }
    if (door === null) return say(gettext("The invitation is not valid any more. Ask for a new one."));
    if (door.joined) return this.#parts.open(door.room);
    this.#invited = { room: door.room, invitation };
    const room = plain(door.name) || gettext("A room without a name");
    setText(this.#root.getElementById("invitation-title"), gettext("Join {room}?", { room }));
    setText(this.#root.getElementById("invitation-topic"), plain(door.topic));
    this.#root.getElementById("invitation-reader").hidden = door.role !== "reader";
    this.#dialog.open();
  }

  async #join() {
    const { room, invitation } = this.#invited;
    await this.#parts.join(room, invitation);
    this.#parts.open(room);
  }
}

/** Have a button make a link by `make()`, which returns it, copy it, and show it in the field beside it. */
export function linkMaker(button, field, wrong, make) {
  button.addEventListener("click", async () => {
    button.disabled = wrong.hidden = true;
    try {
      field.value = await make();
      field.hidden = false;
      await copyText(field.value);
      say(gettext("Link copied."));
    } catch (error) {
      setText(wrong, error.message);
      wrong.hidden = false;
    }
    button.disabled = false;
  });
}
