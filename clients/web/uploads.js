// Files that are being uploaded for the next message of each room: chosen, dropped or pasted, above the composer.
//
// Kept while the page is open. A message can be sent once all files of its room are there; it names them by their ids.

import { sizeText } from "./file_rows.js";
import { bare } from "./names.js";
import { el } from "./nodes.js";
import { newUuid } from "./outbox.js";
import { patch, setText } from "./patch.js";
import { gettext } from "./texts.js";

export const MAX_FILES = 10; // of one message, the server's limit

/** Takes files for the room that is shown. */
export class Uploads {
  #root;
  #client;
  #maxBytes;
  #parts;
  #rooms = new Map(); // room id → [{uuid, file, loaded, told, problem, abort}]
  #room = null; // id
  #isOpen = false;
  #known = new Map(); // id of an uploaded file → what messages say of it

  /** `client` null: this page can't say where files are. `maxBytes` of 0: nobody can upload. `parts` are changed() and say(sentence). */
  constructor(root, client, maxBytes, parts) {
    this.#root = root;
    this.#client = client;
    this.#maxBytes = maxBytes;
    this.#parts = parts;
    const [button, input, talk] = [this.#at("attach"), this.#at("attach-input"), root.querySelector(".talk")];
    button.addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      this.#add([...input.files]);
      input.value = "";
    });
    this.#at("text").addEventListener("paste", (paste) => this.#took(paste, paste.clipboardData));
    talk.addEventListener("dragover", (drag) => {
      if (!this.#takes(drag.dataTransfer)) return;
      drag.preventDefault();
      talk.classList.add("dropping");
    });
    for (const end of ["dragleave", "drop"]) talk.addEventListener(end, () => talk.classList.remove("dropping"));
    talk.addEventListener("drop", (drop) => this.#took(drop, drop.dataTransfer));
  }

  /** Where a file is, for links; null: this page can't say. */
  addressOf = (id) => this.#client?.fileAddress(id) ?? null;

  /** Whether the room's next message brings files. */
  has(roomId) {
    return this.#of(roomId).length > 0;
  }

  /** Return the ids for the room's next message; throws a sentence while one of them is not there. */
  idsOf(roomId) {
    const uploads = this.#of(roomId);
    if (uploads.some(({ problem }) => problem)) throw new Error(gettext("A file was not uploaded. Remove it, or try again."));
    if (uploads.some(({ told }) => !told)) throw new Error(gettext("Files are still being uploaded. Send the message when they are there."));
    return uploads.map(({ told }) => told.id);
  }

  /** The message with the room's files was sent. */
  sent(roomId) {
    this.#rooms.delete(roomId);
  }

  /** Return what is known of files by their ids, for a message that has no place in the log yet. */
  described(ids = []) {
    return ids.map((id) => this.#known.get(id)).filter(Boolean);
  }

  /** Show the files of a room, or none; `isOpen`: messages can be sent. */
  show(roomId, isOpen) {
    this.#room = roomId;
    this.#isOpen = isOpen && this.#maxBytes > 0;
    this.#at("attach").hidden = !this.#isOpen;
    const uploads = isOpen ? this.#of(roomId) : [];
    this.#at("uploads").hidden = uploads.length === 0;
    patch(this.#at("uploads"), uploads.map((upload) => this.#row(upload)));
  }

  #of(roomId) {
    return this.#rooms.get(roomId) ?? [];
  }

  #takes(data) {
    return this.#isOpen && this.#room !== null && [...(data?.types ?? [])].includes("Files");
  }

  #took(event, data) {
    if (!this.#takes(data) || data.files.length === 0) return;
    event.preventDefault();
    this.#add([...data.files]);
  }

  #add(files) {
    const [room, maxBytes] = [this.#room, this.#maxBytes];
    const uploads = [...this.#of(room)];
    for (const file of files) {
      if (uploads.length === MAX_FILES) {
        this.#parts.say(gettext("A message brings at most {number} files.", { number: MAX_FILES }));
        break;
      }
      const upload = { uuid: newUuid(), file, loaded: 0, told: null, problem: "", abort: () => {} };
      uploads.push(upload);
      if (file.size > maxBytes) upload.problem = gettext("The file is larger than {size}.", { size: sizeText(maxBytes) });
      else this.#upload(room, upload);
    }
    this.#rooms.set(room, uploads);
    this.#at("text").focus({ preventScroll: true });
    this.#parts.changed();
  }

  async #upload(room, upload) {
    Object.assign(upload, { problem: "", loaded: 0 });
    const heard = (loaded) => {
      upload.loaded = loaded;
      this.#parts.changed();
    };
    const { told, abort } = this.#client.upload(room, upload.file, { uuid: upload.uuid, heard });
    upload.abort = abort;
    try {
      upload.told = await told;
      this.#known.set(upload.told.id, upload.told);
    } catch (error) {
      upload.problem = error.message;
    }
    this.#parts.changed();
  }

  #remove(upload) {
    upload.abort();
    const room = [...this.#rooms].find(([, uploads]) => uploads.includes(upload))?.[0];
    if (room) this.#rooms.set(room, this.#of(room).filter((one) => one !== upload));
    this.#at("text").focus({ preventScroll: true });
    this.#parts.changed();
  }

  #row(upload) {
    const { uuid, file } = upload;
    const build = () => {
      const name = bare(file.name);
      const retry = el("button", { type: "button", className: "again", onclick: () => this.#upload(this.#room, upload) }, gettext("Try again"));
      const remove = el("button", { type: "button", ariaLabel: gettext("Remove {name}", { name }), title: gettext("Remove {name}", { name }), onclick: () => this.#remove(upload) }, "×");
      return el("li", {}, el("bdi", { className: "name" }, name), el("small"), el("progress", { max: 1, ariaLabel: name }), retry, remove);
    };
    const update = (node) => {
      const [bar, again] = [node.querySelector("progress"), node.querySelector(".again")];
      setText(node.querySelector("small"), upload.problem || sizeText(file.size));
      node.querySelector("small").className = upload.problem ? "wrong" : "";
      bar.value = upload.told ? 1 : upload.loaded;
      bar.hidden = Boolean(upload.told || upload.problem);
      again.hidden = !upload.problem || file.size > this.#maxBytes;
    };
    return { key: uuid, build, update };
  }

  #at(id) {
    return this.#root.getElementById(id);
  }
}
