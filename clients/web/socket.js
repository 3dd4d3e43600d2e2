// One try of a connection: a WebSocket that is there before its address may be opened.
//
// The edge of the browser. Objects go in and come out; what they mean is not known here.

/** Sends and receives JSON objects; tells its end once, whoever caused it. */
export class Socket {
  #socket = null;

  open(url, { opened, received, closed }) {
    this.#socket = new WebSocket(url);
    this.#socket.onopen = opened;
    this.#socket.onmessage = ({ data }) => received(JSON.parse(data));
    this.#socket.onclose = ({ code }) => closed(code);
  }

  /** Without an open socket the object is dropped: whoever sends repeats or is told of the end. */
  send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  close(code) {
    this.#socket?.close(code);
  }
}
