// The field in which messages are written: one draft a room, and a text that stays until it was taken.

import { copyText } from "./clipboard.js";
import { setText } from "./patch.js";
import { gettext, locale } from "./texts.js";

const MAX_TEXT = 4_000; // code points, the server's limit

/** Writes into the drafts; `send(roomId, text)` throws a sentence when it does not take a text. */
export class Composer {
  #root;
  #drafts;
  #send;
  #room = null; // {id, name}

  constructor(root, drafts, send) {
    this.#root = root;
    this.#drafts = drafts;
    this.#send = send;
    this.#at("text").addEventListener("input", () => this.#typed());
    this.#at("text").addEventListener("keydown", (key) => {
      if (key.key !== "Enter" || key.shiftKey || key.isComposing) return;
      key.preventDefault();
      this.#submit();
    });
    this.#at("composer").addEventListener("submit", (submit) => {
      submit.preventDefault();
      this.#submit();
    });
    this.#at("copy").addEventListener("click", () => copyText(this.#at("text").value));
  }

  /** Show the draft of a room, or nothing; `closed` is a sentence where nothing may be sent any more. */
  show(room, closed = "") {
    if (room?.id !== this.#room?.id) {
      this.#at("text").value = room ? this.#drafts.get(room.id) : "";
      this.#say(tooLong(this.#at("text").value));
    }
    this.#room = room;
    this.#at("text").disabled = this.#at("send").disabled = room === null;
    this.#at("text").readOnly = this.#at("send").hidden = closed !== "";
    this.#at("copy").hidden = closed === "" || this.#at("text").value === "";
    if (closed) this.#say("");
    setText(this.#at("closed"), closed);
    this.#at("closed").hidden = closed === "";
  }

  #at(id) {
    return this.#root.getElementById(id);
  }

  focus() {
    this.#at("text").focus({ preventScroll: true });
  }

  #typed() {
    const { value } = this.#at("text");
    this.#drafts.set(this.#room.id, this.#room.name, value);
    this.#say(tooLong(value));
  }

  #submit() {
    const text = this.#at("text").value;
    if (this.#at("text").readOnly || !this.#room || !text.trim()) return;
    const problem = tooLong(text);
    if (problem) return this.#say(problem);
    try {
      this.#send(this.#room.id, text.toWellFormed().replaceAll("\0", "")); // neither can travel
    } catch (error) {
      return this.#say(error.message);
    }
    this.#at("text").value = "";
    this.#typed();
  }

  #say(problem) {
    this.#at("text-error").textContent = problem;
    this.#at("text-error").hidden = problem === "";
  }
}

function tooLong(text) {
  const { length } = [...text];
  if (length <= MAX_TEXT) return "";
  const [most, own] = [MAX_TEXT, length].map((number) => number.toLocaleString(locale()));
  return gettext("A message has at most {most} characters; this one has {own}. Shorten it, or send it in parts.", { most, own });
}
