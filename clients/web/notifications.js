// The browser's notifications of new messages: only after the user's own click, silent until another, and only while nobody looks at the page.
//
// Off until then, on each device apart, and again after a logout. One a room: a later message takes the place of an earlier one.

import { plain, roomName } from "./names.js";
import { say } from "./notice.js";
import { quoteOf } from "./quotes.js";
import { gettext } from "./texts.js";
import { isMeant } from "./unread_mentions.js";

const KIND = "notify"; // what the memory keeps of the choice
const SOUND = "sound"; // the same, of the sound that the system may make with them
const ALL = "all"; // for all rooms

/** One user's notifications in this browser. */
export class Notifications {
  #button;
  #sound;
  #memory;
  #userId;
  #chosen;
  #waiting = new Map(); // room id → [room, message]: the last of those that came together

  /** `button` switches them on and off, `sound` their sound; `chosen(roomId, seq)` is told when a notification is clicked. */
  constructor(button, sound, memory, userId, chosen) {
    this.#button = button;
    this.#sound = sound;
    this.#memory = memory;
    this.#userId = userId;
    this.#chosen = chosen;
    button.hidden = !("Notification" in window);
    button.addEventListener("click", () => this.#toggle());
    sound.addEventListener("click", () => this.#toggleSound());
    for (const kind of [KIND, SOUND]) memory.watch(kind, () => this.#paint());
    this.#paint();
  }

  /** Tell of an event of a room, if it is another's message and nobody looks; `isNews` if it was not read elsewhere, and is wanted. */
  heard(room, { action, message }, isNews) {
    const isLooking = !document.hidden && document.hasFocus();
    if (!this.#isOn || isLooking || !isNews || action !== "new_message" || message.user.id === this.#userId || message.deleted) return;
    if (this.#mentions(this.#waiting.get(room.id)?.[1]) && !this.#mentions(message)) return; // the mention is worth more
    if (this.#waiting.size === 0) setTimeout(() => this.#tell());
    this.#waiting.set(room.id, [room, message]);
  }

  #tell() {
    for (const [room, message] of this.#waiting.values()) {
      try {
        this.#show(room, message);
      } catch {
        // Chrome on Android: pages may ask, but not show any
      }
    }
    this.#waiting.clear();
  }

  #show(room, message) {
    const { name, text } = quoteOf(message);
    const values = { name: plain(name), room: plain(roomName(room)) };
    const inRoom = this.#mentions(message) ? gettext("{name} mentioned you in {room}", values) : gettext("{name} in {room}", values);
    const title = room.kind === "direct" ? plain(name) : inRoom;
    const shown = new Notification(title, { body: text, tag: room.id, silent: !this.#isLoud, icon: document.querySelector("link[rel=icon]").href });
    shown.addEventListener("click", () => {
      window.focus();
      shown.close();
      this.#chosen(room.id, message.seq);
    });
  }

  #mentions(message) {
    return Boolean(message) && isMeant(this.#userId, message);
  }

  get #isOn() {
    return this.#memory.get(KIND, ALL) === true && window.Notification?.permission === "granted";
  }

  get #isLoud() {
    return this.#memory.get(SOUND, ALL) === true;
  }

  #toggleSound() {
    if (this.#isLoud) this.#memory.remove(SOUND, ALL);
    else this.#memory.set(SOUND, ALL, true);
    this.#paint();
  }

  async #toggle() {
    if (this.#isOn) {
      this.#memory.remove(KIND, ALL);
    } else if ((await Notification.requestPermission()) === "granted") {
      this.#memory.set(KIND, ALL, true);
    } else {
      say(gettext("This browser does not allow notifications for this page. Its settings can change that."));
    }
    this.#paint();
  }

  #paint() {
    this.#button.ariaPressed = String(this.#isOn);
    this.#sound.hidden = !this.#isOn;
    this.#sound.ariaPressed = String(this.#isLoud);
  }
}
