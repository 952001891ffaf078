/**
 * What people say their drawings were, a widget in its element: beside an answer it offers to say so, keeps what was
 * said for the tab alone, lists it, and makes a CSV of it to train with. It looks up nothing outside its element and
 * the answers that it is given, and fires these events on its element:
 *
 * - "told", with detail.words: these words say what was done
 * - "noted", with detail.label and detail.read: what the drawing was said to be, and what it was read as
 * - "none": the last one was removed, and the list with it
 */

import { canvasOf } from "./pictures.js";

const STORE = "corrections"; // key in the session storage of the tab
const NAME = "corrections.csv";
const SIDE = 28; // pixels of a prepared picture
const HEADER = ["label", ...Array.from({ length: SIDE * SIDE }, (_, i) => `pixel${i}`)].join(",");
const IS_PICTURE = /^data:image\/png;base64,/;

export class Corrections {
  #root;
  #kept; // of each: the label, what was read, "" if nothing was, and the prepared picture as a PNG's data URL
  #offer = null; // the control beside the answer
  #answer = null; // what was read, and the prepared picture
  #address = null; // of the latest CSV

  /** @param {HTMLElement} root the element of `_corrections.html` */
  constructor(root) {
    this.#root = root;
    this.#kept = restored();
    root.querySelector("[data-action=download]").addEventListener("click", () => this.#download());
    this.#list();
  }

  /** Offer to say what the drawing is that was answered, if that is a single digit which is finished. */
  offer(prediction) {
    this.withdraw();
    const answered = prediction.querySelector("[data-read]");
    const image = prediction.querySelector(".seen image");
    if (!answered || !image) return;
    this.#answer = { read: answered.dataset.read, picture: image.getAttribute("href") };
    const offer = (this.#offer = this.#copy("offer"));
    offer.addEventListener("click", ({ target }) => target.value && this.#note(Number(target.value)));
    offer.addEventListener("keydown", (event) => event.key === "Escape" && this.#close());
    offer.addEventListener("focusout", ({ relatedTarget }) => {
      // Safari gives a clicked button no focus, so that nothing is focused says nothing.
      if (relatedTarget && !offer.contains(relatedTarget)) offer.open = false;
    });
    this.#showChosen();
    answered.parentElement.append(offer);
  }

  /** Offer nothing: the drawing is no longer the one that was answered. */
  withdraw() {
    this.#offer?.remove();
    this.#offer = this.#answer = null;
  }

  /** Keep what the drawing is; what was said of the same drawing before was a slip. */
  #note(label) {
    const { read, picture } = this.#answer;
    const others = this.#kept.filter((each) => each.picture !== picture);
    this.#keep([...others, { label, read, picture }]);
    this.#close();
    this.#fire("told", { words: `Noted: it is ${withArticle(label)}.` });
    this.#fire("noted", { label, read });
  }

  #close() {
    if (!this.#offer.open) return;
    this.#offer.open = false;
    this.#offer.querySelector("summary").focus();
  }

  #remove(place) {
    const words = inWords(this.#kept[place]);
    this.#keep(this.#kept.toSpliced(place, 1));
    this.#fire("told", { words: `Removed: ${words}.` });
    if (!this.#kept.length) return this.#fire("none");
    // The button that was pressed is gone; the next one takes the focus.
    this.#root.querySelectorAll("li button")[Math.min(place, this.#kept.length - 1)].focus();
  }

  #keep(corrections) {
    this.#kept = corrections;
    try {
      sessionStorage.setItem(STORE, JSON.stringify(corrections));
    } catch {
      sessionStorage.removeItem(STORE); // it is full: then they last until the page is left
    }
    this.#list();
    this.#showChosen();
  }

  #list() {
    this.#root.hidden = !this.#kept.length;
    this.#root.querySelector("[data-part=count]").textContent = this.#kept.length;
    const items = this.#kept.map((correction, place) => {
      const item = this.#copy("kept");
      const words = inWords(correction);
      item.querySelector("img").src = correction.picture;
      item.querySelector("span").textContent = words;
      const button = item.querySelector("button");
      button.setAttribute("aria-label", `Remove ${words}`);
      button.addEventListener("click", () => this.#remove(place));
      return item;
    });
    this.#root.querySelector("ul").replaceChildren(...items);
  }

  /** What was said of this drawing stands on the control. */
  #showChosen() {
    if (!this.#offer) return;
    const label = this.#kept.find(({ picture }) => picture === this.#answer.picture)?.label;
    this.#offer.querySelector("summary").textContent = label === undefined ? "It’s a …" : `✓ It’s ${withArticle(label)}`;
    for (const button of this.#offer.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", Number(button.value) === label);
    }
  }

  async #download() {
    const csv = await csvOf(this.#kept);
    URL.revokeObjectURL(this.#address); // of the one before, which is saved by now
    this.#address = URL.createObjectURL(new Blob([csv], { type: "text/csv" }));
    Object.assign(document.createElement("a"), { href: this.#address, download: NAME }).click();
  }

  #copy(part) {
    return this.#root.querySelector(`template[data-part=${part}]`).content.firstElementChild.cloneNode(true);
  }

  #fire(name, detail) {
    this.#root.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** What the tab keeps; nothing, if it is in the form of another version. */
function restored() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(STORE) ?? "[]");
    const isWhole = ({ label, read, picture }) => isDigit(label) && typeof read === "string" && IS_PICTURE.test(picture);
    return kept.every(isWhole) ? kept : [];
  } catch {
    return [];
  }
}

function isDigit(label) {
  return Number.isInteger(label) && label >= 0 && label <= 9;
}

function withArticle(digit) {
  return `${digit === 8 ? "an" : "a"} ${digit}`;
}

function inWords({ label, read }) {
  return read ? `${label}, read as ${read}` : `${label}, not read`;
}

/** Corrections as the CSV of the gallery's form: a header, then for each its label and its 784 pixels. */
async function csvOf(corrections) {
  const rows = await Promise.all(corrections.map(async ({ label, picture }) => [label, ...(await pixelsOf(picture))].join(",")));
  return [HEADER, ...rows, ""].join("\n");
}

/** The grey levels of a PNG that is opaque and grey: each of its channels has them as they are. */
async function pixelsOf(picture) {
  const image = Object.assign(new Image(), { src: picture });
  await image.decode();
  const [, context] = canvasOf(SIDE, SIDE);
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  return Array.from({ length: SIDE * SIDE }, (_, i) => data[4 * i]);
}
