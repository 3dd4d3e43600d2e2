// The structure of one conversation, the same on the chat page and in the element.
//
// Markup of our own alone: what others wrote becomes text nodes elsewhere.

export const TALK = `
  <div class="bar">
    <button type="button" id="back" aria-label="Back to the rooms">←</button>
    <h2><bdi id="room-name">Choose a room</bdi></h2>
    <span id="state" role="status" data-state="connecting">Connecting…</span>
    <button type="button" id="retry" hidden>Retry now</button>
    <button type="button" id="invite-button" data-opens="invite-dialog" hidden>Invite</button>
  </div>
  <div id="messages" role="log" aria-label="Messages" tabindex="0"></div>
  <div class="above-composer"><button type="button" id="pill" class="primary" hidden></button></div>
  <form id="composer">
    <p id="closed" role="status" hidden></p>
    <p id="text-error" class="wrong" role="alert" hidden></p>
    <textarea id="text" name="text" rows="1" placeholder="Message" aria-label="Message" dir="auto" autocomplete="off" disabled></textarea>
    <button type="button" id="copy" hidden>Copy</button>
    <button id="send" class="primary" disabled>Send</button>
  </form>`;
