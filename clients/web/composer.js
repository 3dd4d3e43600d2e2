// The field in which messages are written: one draft a room, and a text that stays until it was taken.

import { copyText } from "./clipboard.js";
import { setText } from "./patch.js";

const MAX_TEXT = 4_000; // code points, the server's limit

const at = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en");

/** Writes into the drafts; `send(roomId, text)` throws a sentence when it does not take a text. */
export class Composer {
  #drafts;
  #send;
  #room = null; // {id, name}

  constructor(drafts, send) {
    this.#drafts = drafts;
    this.#send = send;
    at("text").addEventListener("input", () => this.#typed());
    at("text").addEventListener("keydown", (key) => {
      if (key.key !== "Enter" || key.shiftKey || key.isComposing) return;
      key.preventDefault();
      this.#submit();
    });
    at("composer").addEventListener("submit", (submit) => {
      submit.preventDefault();
      this.#submit();
    });
    at("copy").addEventListener("click", () => copyText(at("text").value));
  }

  /** Show the draft of a room, or nothing; `closed` is a sentence where nothing may be sent any more. */
  show(room, closed = "") {
    if (room?.id !== this.#room?.id) {
      at("text").value = room ? this.#drafts.get(room.id) : "";
      this.#say(tooLong(at("text").value));
    }
    this.#room = room;
    at("text").disabled = at("send").disabled = room === null;
    at("text").readOnly = at("send").hidden = closed !== "";
    at("copy").hidden = closed === "" || at("text").value === "";
    if (closed) this.#say("");
    setText(at("closed"), closed);
    at("closed").hidden = closed === "";
  }

  focus() {
    at("text").focus({ preventScroll: true });
  }

  #typed() {
    const { value } = at("text");
    this.#drafts.set(this.#room.id, this.#room.name, value);
    this.#say(tooLong(value));
  }

  #submit() {
    const text = at("text").value;
    if (at("text").readOnly || !this.#room || !text.trim()) return;
    const problem = tooLong(text);
    if (problem) return this.#say(problem);
    try {
      this.#send(this.#room.id, text.toWellFormed().replaceAll("\0", "")); // neither can travel
    } catch (error) {
      return this.#say(error.message);
    }
    at("text").value = "";
    this.#typed();
  }

  #say(problem) {
    at("text-error").textContent = problem;
    at("text-error").hidden = problem === "";
  }
}

function tooLong(text) {
  const { length } = [...text];
  if (length <= MAX_TEXT) return "";
  return `A message has at most ${number.format(MAX_TEXT)} characters; this one has ${number.format(length)}. Shorten it, or send it in parts.`;
}
