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
    <span id="room-picture"></span>
    <h2><bdi id="room-name"></bdi></h2>
    <span id="present"></span>
    <span id="state" role="status" data-state="connecting">${gettext("Connecting…")}</span>
    <button type="button" id="retry" hidden>${gettext("Retry now")}</button>
    <button type="button" id="pins-button" class="icon" aria-label="${gettext("Pinned messages")}" title="${gettext("Pinned messages")}" hidden><svg viewBox="0 0 16 16" aria-hidden="true"><path d="M5.5 2.5h5M6.5 2.5v4.3L4.5 9.5h7L9.5 6.8V2.5M8 9.5v4.5"/></svg></button>
    <button type="button" id="members-button" class="icon" aria-label="${gettext("Members")}" title="${gettext("Members")}" hidden><svg viewBox="0 0 16 16" aria-hidden="true"><path d="M8.5 5a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0M1.5 13.5c0-6 9-6 9 0M10.5 2.8a2.5 2.5 0 0 1 0 4.4M12 9.6c1.7.6 2.5 2 2.5 3.9"/></svg></button>
    <button type="button" id="level-button" class="icon" aria-label="${gettext("Notifications of this room")}" title="${gettext("Notifications of this room")}" aria-haspopup="dialog" hidden><svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 11.5h10L11.8 9.8V6.5a3.8 3.8 0 0 0-7.6 0v3.300zM6.5 13.5h3"/></svg></button>
    <button type="button" id="room-button" class="icon" data-opens="room-dialog" aria-label="${gettext("Change or leave the room")}" title="${gettext("Change or leave the room")}" hidden><svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 8h.01M8 8h.01M13 8h.01" stroke-width="2.5" stroke-linecap="round"/></svg></button>
    <button type="button" id="invite-button" data-opens="invite-dialog" hidden>${gettext("Invite")}</button>
  </div>
  <p id="room-topic" dir="auto" hidden></p>
  <div id="messages" role="log" aria-label="${gettext("Messages")}" tabindex="0"></div>
  <p id="typing"></p>
  <div class="above-composer"><ul id="completions" role="listbox" aria-label="${gettext("Suggestions")}" hidden></ul><button type="button" id="pill" class="primary" hidden></button></div>
  <form id="composer">
    <p id="closed" role="status" hidden></p>
    <p id="editing" role="status" hidden>${gettext("You are editing a message.")} <button type="button" id="cancel-edit">${gettext("Cancel")}</button></p>
    <p id="replying" role="status" hidden><span id="reply-words"></span> <button type="button" id="cancel-reply">${gettext("Cancel")}</button></p>
    <ul id="uploads" aria-label="${gettext("Files of the message")}" hidden></ul>
    <p id="text-error" class="wrong" role="alert" hidden></p>
    <input type="file" id="attach-input" multiple hidden>
    <button type="button" id="attach" class="icon" aria-label="${gettext("Attach files")}" title="${gettext("Attach files")}" hidden><svg viewBox="0 0 16 16" aria-hidden="true"><path d="M13 7.5l-5.3 5.3a3 3 0 0 1-4.3-4.3l5.7-5.7a2 2 0 0 1 2.9 2.9L6.4 11.3a1 1 0 0 1-1.4-1.4l5-5"/></svg></button>
    <button type="button" id="emoji" class="icon" aria-label="${gettext("Choose an emoji")}" title="${gettext("Choose an emoji")}" aria-haspopup="dialog" aria-expanded="false" disabled><svg viewBox="0 0 16 16" aria-hidden="true"><path d="M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0M5.3 9.6c1.2 1.9 4.2 1.9 5.4 0M6 5.8v.9M10 5.8v.9"/></svg></button>
    <textarea id="text" name="text" rows="1" placeholder="${gettext("Message")}" aria-label="${gettext("Message")}" dir="auto" autocomplete="off" aria-autocomplete="list" aria-haspopup="listbox" aria-controls="completions" disabled></textarea>
    <button type="button" id="copy" hidden>${gettext("Copy")}</button>
    <button id="send" class="primary" disabled>${gettext("Send")}</button>
  </form>
  <div id="emoji-picker" role="dialog" aria-label="${gettext("Choose an emoji")}" popover></div>
  <dialog id="pins-dialog" aria-labelledby="pins-title">
    <div class="stack">
      <h2 id="pins-title">${gettext("Pinned messages")}</h2>
      <p class="wrong" role="alert" hidden></p>
      <p id="no-pins" role="status"></p>
      <ul id="pins" class="entries"></ul>
      <div class="row"><button type="button" data-closes>${gettext("Close")}</button></div>
    </div>
  </dialog>
  <dialog id="members-dialog" aria-labelledby="members-title">
    <div class="stack">
      <h2 id="members-title">${gettext("Members")}</h2>
      <p class="wrong" role="alert" hidden></p>
      <p id="no-members" role="status"></p>
      <ul id="members" class="entries"></ul>
      <div class="row"><button type="button" id="more-members" hidden>${gettext("More members")}</button><button type="button" data-closes>${gettext("Close")}</button></div>
    </div>
  </dialog>
  <dialog id="readers-dialog" aria-labelledby="readers-title">
    <div class="stack">
      <h2 id="readers-title">${gettext("Read by")}</h2>
      <p class="wrong" role="alert" hidden></p>
      <ul id="readers" class="entries"></ul>
      <div class="row"><button type="button" data-closes>${gettext("Close")}</button></div>
    </div>
  </dialog>
  <dialog id="member-dialog" aria-labelledby="member-title" aria-describedby="member-facts">
    <form class="stack">
      <h2><bdi id="member-title"></bdi></h2>
      <p id="member-facts"></p>
      <label>${gettext("What shall be done?")} <select id="member-choice"></select></label>
      <p id="member-effect" role="status"></p>
      <p class="wrong" role="alert" hidden></p>
      <div class="row"><button type="button" data-closes>${gettext("Cancel")}</button><button class="primary danger" disabled>${gettext("Confirm")}</button></div>
    </form>
  </dialog>
  <dialog id="level-dialog" aria-labelledby="level-title">
    <form class="stack">
      <h2 id="level-title">${gettext("Notifications of this room")}</h2>
      <label>${gettext("Tell me of")} <select name="notify"><option value="all">${gettext("All messages")}</option><option value="mentions">${gettext("Mentions only")}</option><option value="none">${gettext("Nothing")}</option></select></label>
      <p>${gettext("It counts on all your devices. The others in the room do not see it.")}</p>
      <p class="wrong" role="alert" hidden></p>
      <div class="row"><button type="button" data-closes>${gettext("Cancel")}</button><button class="primary">${gettext("Save")}</button></div>
    </form>
  </dialog>
  <dialog id="report-dialog" aria-labelledby="report-title" aria-describedby="report-text">
    <form class="stack">
      <h2 id="report-title">${gettext("Report this message?")}</h2>
      <bdi id="report-text" class="quoted" dir="auto"></bdi>
      <p>${gettext("The moderators of this site will see that you reported it. The others in the room will not.")}</p>
      <label>${gettext("Reason")} <select name="reason"><option value="spam">${gettext("Spam")}</option><option value="abuse">${gettext("Abuse")}</option><option value="other">${gettext("Something else")}</option></select></label>
      <label>${gettext("Comment (optional)")} <textarea name="comment" rows="3" maxlength="500" dir="auto"></textarea></label>
      <p class="wrong" role="alert" hidden></p>
      <div class="row"><button type="button" data-closes>${gettext("Cancel")}</button><button class="primary">${gettext("Report")}</button></div>
    </form>
  </dialog>
  <dialog id="delete-dialog" aria-labelledby="delete-title" aria-describedby="delete-text">
    <form class="stack">
      <h2 id="delete-title">${gettext("Delete this message?")}</h2>
      <bdi id="delete-text" class="quoted" dir="auto"></bdi>
      <p>${gettext("It is deleted for everybody, and for good.")}</p>
      <div class="row"><button type="button" data-closes autofocus>${gettext("Cancel")}</button><button class="primary danger">${gettext("Delete")}</button></div>
    </form>
  </dialog>`;
