// One connection kept up: ticket, socket, authenticate, pings, back-off, and the browser's word on the network.
//
// Between socket.js and roomlog.js. It knows when to connect, when a connection is dead and when to stay away;
// what frames mean is not known here.

import { now } from "./clock.js";
import { Socket } from "./socket.js";

export const STATES = ["connecting", "online", "degraded", "waiting", "ended"];

const BACKOFF_MS = 500; // the first delay's ceiling; each failure doubles it
const BACKOFF_CAP_MS = 10_000; // the highest ceiling, as the specification asks
const STEADY_MS = 5_000; // a connection that lasted this long clears the count of failures
const AUTHENTICATE_MS = 12_000; // the server gives up after 10 s
const SEEN_PING_MS = 4_000; // of silence, then a ping: with PONG_MS and two ticks a dead network shows within 10 s
const HIDDEN_PING_MS = 25_000; // nobody looks: spare the server and the battery
const PONG_MS = 4_000;
const CLOSE_MS = 5_000; // after the announced delay, the server's time to close
const TICK_MS = 1_000;
const FINAL_CLOSES = new Set([4401, 4403]); // unauthenticated, revoked: repeating would be refused again

/** Thrown by `ticket` when nobody is signed in: the client ends instead of trying again. */
export class SignedOut extends Error {}

/** Connects and stays connected until `end`; frames go out by `write` while `isOpen`. */
export class Link {
  state = "waiting";
  isOpen = false; // authenticated

  #options;
  #socket = null;
  #failures = 0;
  #phaseSince = 0;
  #announcedAt = null; // when the server asked us to come back
  #retryAfterMs = 0;
  #reason; // why the server refused the last authenticate
  #timer = null;
  #ticker = null;
  #heardAt = 0;
  #pingSentAt = null;

  /**
   * `ticket` returns a promise of one; `greeting(ticket)` the first frame, `renewal(ticket)` one that renews;
   * `received(frame)` gets all frames, `ticked()` a turn each second, `lost()` the end of each connection, `entered(state, detail)` each new state.
   */
  constructor(options) {
    this.#options = options;
  }

  start() {
    this.#ticker ??= setInterval(() => this.#tick(), TICK_MS);
    globalThis.addEventListener?.("online", this.#online);
    globalThis.addEventListener?.("offline", this.#offline);
    globalThis.document?.addEventListener("visibilitychange", this.#looked);
    this.#connect();
  }

  /** Try now instead of at the end of the pause. */
  retry() {
    if (this.state === "waiting") this.#connect();
  }

  /** Disconnect for good. */
  end(detail) {
    clearTimeout(this.#timer);
    clearInterval(this.#ticker);
    globalThis.removeEventListener?.("online", this.#online);
    globalThis.removeEventListener?.("offline", this.#offline);
    globalThis.document?.removeEventListener("visibilitychange", this.#looked);
    if (this.state === "ended") return;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
    this.#lose();
    this.#enter("ended", detail);
  }

  write(frame) {
    this.#socket?.send(frame);
  }

  // -- what the server says of the connection itself ----------------------------------------------

  /** It knows us: from now on frames may go out. */
  welcomed() {
    this.isOpen = true;
    this.#heardAt = now();
    this.#reason = undefined;
    this.#enter("online");
  }

  /** It does not: come back with a new ticket. */
  refused(reason, retryAfterMs = 0) {
    this.#reason = reason;
    this.#retryAfterMs = retryAfterMs;
    this.#abandon();
  }

  /** Our ticket ends soon: show another on this connection. Without one the next connection asks again. */
  async renew() {
    const socket = this.#socket;
    try {
      const ticket = await this.#options.ticket();
      if (this.#socket === socket && this.isOpen) this.write(this.#options.renewal(ticket));
    } catch {
      // the server closes at the end
    }
  }

  announced(afterMs) {
    this.#announcedAt = now() + afterMs;
  }

  degraded(isDegraded) {
    this.#enter(isDegraded ? "degraded" : "online");
  }

  // -- connecting ---------------------------------------------------------------------------------

  async #connect() {
    clearTimeout(this.#timer);
    if (this.state === "ended" || this.#socket) return;
    const socket = (this.#socket = new Socket());
    this.#enter("connecting");
    let ticket;
    try {
      ticket = await this.#options.ticket();
    } catch (error) {
      if (this.#socket === socket && error instanceof SignedOut) this.end({ reason: "signed out" });
      else this.#closed(socket, 1006);
      return;
    }
    if (this.#socket !== socket) return;
    socket.open(this.#options.url, {
      opened: () => this.#socket === socket && this.write(this.#options.greeting(ticket)),
      received: (frame) => this.#socket === socket && this.#received(frame),
      closed: (code) => this.#closed(socket, code),
    });
  }

  #received(frame) {
    this.#heardAt = now();
    this.#pingSentAt = null;
    this.#options.received(frame);
  }

  #closed(socket, code) {
    if (this.#socket !== socket) return;
    this.#socket = null;
    const wasSteady = this.isOpen && now() - this.#phaseSince > STEADY_MS;
    this.#lose();
    if (FINAL_CLOSES.has(code)) return this.end({ code });
    this.#failures = wasSteady ? 1 : this.#failures + 1;
    const delay = this.#announcedAt === null ? this.#backoff(code) : this.#announcedAt - now();
    this.#announcedAt = null;
    this.#wait(Math.max(0, delay));
  }

  #lose() {
    this.isOpen = false;
    this.#pingSentAt = null;
    this.#options.lost();
  }

  #backoff(code) {
    if (code === 1012 && this.#failures === 1) return 0;
    const ceiling = Math.min(BACKOFF_CAP_MS, BACKOFF_MS * 2 ** Math.min(this.#failures - 1, 16));
    const floor = this.#retryAfterMs;
    this.#retryAfterMs = 0;
    return floor + Math.random() * ceiling; // full jitter: a crowd does not come back at once
  }

  #wait(delayMs) {
    this.#enter("waiting", { delayMs, reason: this.#reason });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), delayMs);
  }

  #enter(state, detail = {}) {
    this.state = state;
    this.#phaseSince = now();
    this.#options.entered(state, detail);
  }

  // -- noticing that it is dead -------------------------------------------------------------------

  #tick() {
    const time = now();
    if (this.state === "connecting" && time - this.#phaseSince > AUTHENTICATE_MS) this.#abandon();
    if (this.#announcedAt !== null && time > this.#announcedAt + CLOSE_MS) this.#abandon();
    if (!this.isOpen) return;
    if (this.#pingSentAt !== null && time - this.#pingSentAt > PONG_MS) return this.#abandon();
    if (time - this.#heardAt > (globalThis.document?.hidden ? HIDDEN_PING_MS : SEEN_PING_MS)) this.#ping();
    this.#options.ticked();
  }

  #ping() {
    if (this.#pingSentAt !== null) return;
    this.#pingSentAt = now();
    this.write({ uuid: "ping", action: "ping" });
  }

  /** Give up a socket that may never tell its end. */
  #abandon() {
    const socket = this.#socket;
    socket?.close(4000);
    this.#closed(socket, 1006);
  }

  #offline = () => {
    if (this.#socket) this.#abandon();
  };

  /** A try that began without a network may hang on it; a connection may be of the network before. */
  #online = () => {
    if (this.state === "connecting") this.#abandon();
    if (this.isOpen) this.#ping();
    else this.retry();
  };

  #looked = () => {
    if (globalThis.document.hidden) return;
    if (this.isOpen) this.#ping();
    else this.retry();
  };
}
