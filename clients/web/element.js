// <roomlog-chat>: a conversation in a page of your own.
//
// Attributes: `websocket`, `ticket`, `people`, `rooms` and `files` are addresses, `people` for pictures, `rooms` for members and roles,
// `files` for attachments of at most `file-bytes` each; `user` is the person's id on
// the wire, `csrf` the page's CSRF token, `room` the only room to be shown; without it people choose among their
// rooms. `texts` are translations (JSON, by the English text) into the language `lang`; without them it speaks
// English. `styles` is the address of chat.css, where that is not beside this module. Styles stay inside.

import { peopleById, peopleOfRooms, ticketSource } from "./api.js";
import { Conversation } from "./conversation.js";
import { html } from "./markup.js";
import { el } from "./nodes.js";
import { gettext, speak } from "./texts.js";

const structure = () => html`
  <div class="chat">
    <div id="banner" role="alert" hidden><span id="banner-text"></span> <a id="log-in">${gettext("Log in again")}</a></div>
    <nav class="rooms" aria-label="${gettext("Rooms")}"><div id="rooms"></div></nav>
    <section class="talk" aria-label="${gettext("Chat")}"></section>
    <div id="notice" role="alert" popover="manual"></div>
  </div>`;

/** Connects while it is in the page. */
export class RoomlogChat extends HTMLElement {
  #conversation = null;

  connectedCallback() {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    speak(this.getAttribute("lang"), this.getAttribute("texts"));
    root.innerHTML = structure();
    root.prepend(el("link", { rel: "stylesheet", href: this.getAttribute("styles") ?? new URL("chat.css", import.meta.url).href }));
    root.getElementById("log-in").href = location.href;
    this.#conversation = new Conversation({
      root,
      userId: Number(this.getAttribute("user")),
      url: new URL(this.getAttribute("websocket"), location.href.replace(/^http/, "ws")).href,
      ticket: ticketSource(this.getAttribute("ticket"), this.getAttribute("csrf")),
      people: this.hasAttribute("people") ? peopleById(this.getAttribute("people")) : null,
      rooms: this.hasAttribute("rooms") ? peopleOfRooms(this.getAttribute("rooms")) : null,
      files: this.hasAttribute("files") ? { url: this.getAttribute("files"), csrf: this.getAttribute("csrf"), maxBytes: Number(this.getAttribute("file-bytes")) } : null,
    });
    const only = this.getAttribute("room");
    if (only) this.#conversation.chooseWhenThere(only);
    this.#conversation.start();
  }

  disconnectedCallback() {
    this.#conversation.stop("removed from the page");
  }
}

customElements.define("roomlog-chat", RoomlogChat);
