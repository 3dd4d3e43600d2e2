// Types of element.js; its attributes are in README.md. To import it defines <roomlog-chat>.

export class RoomlogChat extends HTMLElement {
  connectedCallback(): void;
  disconnectedCallback(): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "roomlog-chat": RoomlogChat;
  }
}
