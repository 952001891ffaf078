/**
 * A drawing on the map: asks where it lies, and falls into place there. Fires "placed", with detail
 * {x, y, index, isAgain}: where it lies, the indices of the most similar tiles, and whether it lay there before the page
 * was left; and "gone" where it is no longer on the map.
 */

import { DrawingPad } from "./pad.js";

const FALL = 700; // ms
const STORE = "placed"; // key in the session storage of the tab, there while the drawing has a place
const SIDE = 112; // pixels of the drawing's picture

/** The pad of the map's page, and the place of what is drawn on it. */
export class OwnDrawing extends EventTarget {
  /** The numbers of the tiles that are most like it. */
  alike = [];
  #form;
  #answer;
  #pad;
  #place = null; // {x, y}
  #start = -Infinity; // when it began to fall, ms
  #isPlacing = false; // whether each change of the drawing is placed, as it is once the person asked for it
  #isAgain = false; // whether it only takes its place once more, as the page was left
  #button;
  #isDark = false;
  #image = null;

  /** form: of the pad, which is sent at its event "place"; answer: the element for what comes back. */
  constructor(form, answer) {
    super();
    this.#form = form;
    this.#answer = answer;
    this.#pad = new DrawingPad(form, "drawing"); // which the page Draw keeps, too
    this.#button = form.querySelector("[data-action=place]");
    this.#button.addEventListener("click", () => {
      [this.#isPlacing, this.#isAgain] = [true, false];
      this.#ask();
    });
    form.addEventListener("drawn", () => this.#ask());
    form.addEventListener("emptied", () => this.#forget());
  }

  /** Show the drawing that is kept in this tab. */
  begin() {
    return this.#pad.begin();
  }

  /** Place the drawing if it had a place when the page was left. */
  placeAgain() {
    if (!sessionStorage.getItem(STORE) || this.#button.disabled) return;
    this.#isPlacing = this.#isAgain = true;
    this.#ask();
  }

  /** Paint it for a dark screen or a light one. */
  colour(isDark) {
    this.#isDark = isDark;
    this.#image = this.#place && this.#painted();
  }

  /** The drawing as the painter takes it at a time in ms; null where it has no place. */
  at(now) {
    if (!this.#image) return null;
    const fallen = Math.min(1, Math.max(0, (now - this.#start) / FALL));
    return { ...this.#place, image: this.#image, height: (1 - fallen) ** 3, alike: this.alike };
  }

  get isFalling() {
    return this.#image !== null && performance.now() - this.#start < FALL;
  }

  /** What is still under the pen is not placed. */
  #ask() {
    if (this.#isPlacing && this.#form.elements.live.disabled) this.#form.dispatchEvent(new Event("place"));
  }

  #forget() {
    this.#isPlacing = false;
    this.#place = this.#image = null;
    sessionStorage.removeItem(STORE);
    this.#answer.replaceChildren();
    this.dispatchEvent(new Event("gone"));
  }

  /** Take what has come back: let the drawing fall into its place, or away where it has none. */
  async take() {
    const placed = this.#answer.querySelector(".placed");
    if (!placed) {
      this.#place = this.#image = null;
      this.dispatchEvent(new Event("gone"));
      return;
    }
    await placed.querySelector("img").decode();
    this.#place = { x: Number(placed.dataset.x), y: Number(placed.dataset.y) };
    this.#image = this.#painted();
    sessionStorage.setItem(STORE, "yes");
    const isAgain = this.#isAgain;
    this.#isAgain = false;
    const isCalm = isAgain || matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#start = isCalm ? -Infinity : performance.now();
    const index = placed.dataset.alike.split(" ").map(Number);
    this.dispatchEvent(new CustomEvent("placed", { detail: { ...this.#place, index, isAgain } }));
  }

  /** What the network sees of it, dark on light or the other way round. */
  #painted() {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIDE;
    const context = canvas.getContext("2d");
    context.fillStyle = this.#isDark ? "black" : "white";
    context.fillRect(0, 0, SIDE, SIDE);
    context.globalCompositeOperation = "difference"; // from white, it turns the picture round
    context.drawImage(this.#answer.querySelector("img"), 0, 0, SIDE, SIDE);
    return canvas;
  }
}
