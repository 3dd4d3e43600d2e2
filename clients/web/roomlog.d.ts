// Types of roomlog.js; frames and events stay as the wire has them (packages/contract/README.md).

export type State = "connecting" | "online" | "degraded" | "waiting" | "ended";
export const STATES: State[];

/** Thrown by `ticket` when nobody is signed in: the client ends instead of trying again. `search` rejects with it. */
export class SignedOut extends Error {}
/** Thrown by `send` when the outbox is full, and by `request` when it can't be answered. */
export class NotNow extends Error {}
/** `search` or `upload` was asked too often. */
export class Throttled extends Error {
  retryAfterSeconds: number;
}
/** The server takes no such file; the message says why, in the page's language. */
export class Refused extends Error {
  code: string;
}
/** `search` or `upload` got no answer, or the server can't give one at the moment. */
export class Unreachable extends Error {}

export type Role = "reader" | "member" | "admin" | "owner";
export type Frame = Record<string, unknown>;
export type Command = { uuid: string; action: string; room?: string } & Frame;
export type RoomEvent = { uuid: string; action: string; room: string; epoch: string | number; seq: number } & Frame;
export interface Room {
  id: string;
  name: string;
  /** What the room is about; empty where nobody has said so. */
  topic?: string;
  kind: string;
  epoch: string | number;
  /** How far events were handed on. */
  seq: number;
  read_seq: number;
  /** How many unread messages mention the user, when the room was last listed. */
  unread_mentions?: number;
  /** Whether the room shows how far its members have read. */
  receipts?: boolean;
  /** Of which messages the user wants to be told. */
  notify?: "all" | "mentions" | "none";
  archived: boolean;
  /** Everybody may find the room and join it. */
  discoverable?: boolean;
  isOpen: boolean;
  [key: string]: unknown;
}

/** Of a message in an answer, under its emoji in `reactions`: the emoji with the earliest reaction first. */
export interface Reactions {
  count: number;
  /** The earliest reactors, at most five. */
  users: ({ id: number; username: string } & Frame)[];
  /** Whether one of them all is the user's own. */
  mine: boolean;
}

/** What `search` looks for; all of it must be so. */
export interface Query {
  /** `word`, `begin*` and `"words side by side"`. */
  text?: string;
  room?: string;
  author?: number;
  /** Sent then or later, in seconds since 1970. */
  after?: number;
  /** Sent earlier. */
  before?: number;
  /** `next` of the page before. */
  cursor?: string;
  limit?: number;
}

/** The detail of each CustomEvent, by its name. */
export interface Details {
  state: { state: State; delayMs?: number; code?: number; reason?: string };
  rooms: { told?: Frame[] };
  marked: { summary: Frame };
  typing: { room: string; users: ({ id: number; username: string } & Frame)[] };
  presence: { room: string; users: number[] | null; count: number };
  blocked: { user: { id: number; username: string } & Frame; blocked: boolean };
  receipts: { room: string; marks: Map<number, number> };
  snapshot: { room: Room; messages: Frame[]; firstSeq: number };
  event: { room: Room; event: RoomEvent };
  settled: { command: Command; event: RoomEvent };
  refused: { command: Command; code: string; message: string };
  outbox: Record<string, never>;
}

export interface Options {
  url: string;
  ticket: () => Promise<string>;
  userId?: number | string | null;
  storage?: Storage | null;
  storagePrefix?: string;
  /** The address of the search; else `/api/v1/search/`. */
  search?: string;
  /** The address of the search for people; else `/api/v1/users/`. */
  users?: string;
  /** Where the addresses of rooms begin; else `/api/v1/rooms/`. */
  rooms?: string;
  /** The address that says what is behind an invitation; else `/api/v1/invitation/`. */
  invitation?: string;
  /** The address of uploads; else `/api/v1/attachments/`. */
  files?: string;
  /** The page's CSRF token, for uploads and `door`. */
  csrf?: string;
}

/** A file that is stored; `attachments` of a `new_message` name its id. */
export interface Uploaded {
  id: string;
  name: string;
  /** Bytes. */
  size: number;
  type: string;
  width: number | null;
  height: number | null;
  /** The address of an image's small copy. */
  thumbnail: string | null;
}

export class Roomlog extends EventTarget {
  constructor(options: Options);
  rooms: Map<string, Room>;
  user: ({ id: number | string } & Frame) | null;
  degradedRooms: string[] | null;
  get state(): State;
  get outbox(): Command[];
  waitingSince(command: Command): number;
  start(): void;
  retry(): void;
  stop(reason?: string): void;
  open(roomId: string): void;
  send(action: string, fields: Frame): string;
  addReaction(room: string, message: number, emoji: string): string;
  removeReaction(room: string, message: number, emoji: string): string;
  setRole(room: string, user: number, role: Role): string;
  muteUser(room: string, user: number, until?: number | null): string;
  unmuteUser(room: string, user: number): string;
  banUser(room: string, user: number, until?: number | null): string;
  unbanUser(room: string, user: number): string;
  pinMessage(room: string, message: number): string;
  unpinMessage(room: string, message: number): string;
  joinRoom(room: string, invitation?: string): string;
  setDiscoverable(room: string, discoverable: boolean): string;
  reportMessage(room: string, message: number, reason: "spam" | "abuse" | "other", comment?: string): Promise<Frame>;
  request(action: string, fields?: Frame): Promise<Frame>;
  search(query: Query): Promise<{ messages: Frame[]; next: string | null }>;
  findUsers(beginning: string): Promise<{ id: number; username: string }[]>;
  findRooms(query?: {
    q?: string;
    cursor?: string;
    limit?: number;
  }): Promise<{ rooms: { id: string; name: string; topic: string; joined: boolean }[]; next: string | null }>;
  door(
    invitation: string,
  ): Promise<{ room: string; name: string; topic: string; role: Role; joined: boolean } | null>;
  upload(
    room: string,
    file: File,
    options?: { uuid?: string; heard?: (part: number) => void },
  ): { told: Promise<Uploaded>; abort: () => void };
  fileAddress(id: string): string;
  markRead(roomId: string, seq: number): void;
  setNotifications(room: string, notify: "all" | "mentions" | "none"): Promise<void>;
  typing(roomId: string): void;
  watch(roomIds: string[]): void;
  receipts(roomId: string): Map<number, number>;
  addEventListener<Name extends keyof Details>(
    name: Name,
    listener: (event: CustomEvent<Details[Name]>) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
}
