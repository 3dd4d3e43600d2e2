// The structure of one conversation, the same on the chat page and in the element.
//
// Markup of our own alone: what others wrote becomes text nodes elsewhere.

import { gettext } from "./texts.js";

/** Return markup of a template; what it is filled with is text. */
export function html(parts, ...texts) {
  return String.raw({ raw: parts }, ...texts.map((text) => text.replace(/[&<"]/g, (sign) => `&#${sign.charCodeAt(0)};`)));
}

/** Return it in the page's language. */
export const talk = () => html`
  <div class="bar">
    <button type="button" id="back" aria-label="${gettext("Back to the rooms")}">←</button>
    <h2><bdi id="room-name"></bdi></h2>
    <span id="state" role="status" data-state="connecting">${gettext("Connecting…")}</span>
    <button type="button" id="retry" hidden>${gettext("Retry now")}</button>
    <button type="button" id="invite-button" data-opens="invite-dialog" hidden>${gettext("Invite")}</button>
  </div>
  <div id="messages" role="log" aria-label="${gettext("Messages")}" tabindex="0"></div>
  <div class="above-composer"><button type="button" id="pill" class="primary" hidden></button></div>
  <form id="composer">
    <p id="closed" role="status" hidden></p>
    <p id="editing" role="status" hidden>${gettext("You are editing a message.")} <button type="button" id="cancel-edit">${gettext("Cancel")}</button></p>
    <p id="text-error" class="wrong" role="alert" hidden></p>
    <textarea id="text" name="text" rows="1" placeholder="${gettext("Message")}" aria-label="${gettext("Message")}" dir="auto" autocomplete="off" disabled></textarea>
    <button type="button" id="copy" hidden>${gettext("Copy")}</button>
    <button id="send" class="primary" disabled>${gettext("Send")}</button>
  </form>
  <div id="emoji-picker" role="menu" aria-label="${gettext("Choose a reaction")}" popover></div>
  <dialog id="delete-dialog" aria-labelledby="delete-title" aria-describedby="delete-text">
    <form class="stack">
      <h2 id="delete-title">${gettext("Delete this message?")}</h2>
      <bdi id="delete-text" dir="auto"></bdi>
      <p>${gettext("It is deleted for everybody, and for good.")}</p>
      <div class="row"><button type="button" data-closes autofocus>${gettext("Cancel")}</button><button class="primary danger">${gettext("Delete")}</button></div>
    </form>
  </dialog>`;
