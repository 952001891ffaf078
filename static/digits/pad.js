/**
 * The drawing pad, a widget in its form: it turns a pointer, keys and picture files into strokes or a picture in the
 * form's fields. It looks up nothing outside its form, and fires these events on it:
 *
 * - "drawn": the fields hold a drawing to send, finished or, with the field "live" enabled, still under the pen
 * - "superseded": answers to earlier drawings are out of date; comes before the "drawn" of a finished drawing
 * - "changed": a mark was made, undone, redone or cleared; "emptied": no ink is left; "cleared": by Clear or its key
 * - "unreadable", with detail.file: a file was given that the browser cannot decode as a picture
 * - "pen", with detail.isDown: the keyboard's pen was set down or lifted
 */

import { Drawing, WIDTHS, clampToReach, clampToView, extendLine, frameOf, reach, rounded, strokesOf } from "./drawing.js";
import { paint, paintCursor, pictureOf, sentFrame } from "./painting.js";
import { dataUrl, load, reduced } from "./pictures.js";

const KEY_STEP = 1 / 40; // of an arrow key, in units
const LIVE_INTERVAL = 80; // ms between two drawings sent while the pen moves
const NETWORK_INTERVAL = 50; // the same while the network is watched, so that it moves
const READABLE = 0.15; // reach of a first stroke, in units, from which it is sent while drawn
const MAX_POINTS = 5000; // a drawing with more is sent as a picture, which is smaller; a digit has hundreds
const PALM_INTERVAL = 1000; // ms after a pen event during which a touch counts as the hand that holds the pen

const TOOL_STORE = "tool"; // key in the session storage of the tab

const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const TOOL_KEYS = { 1: "fine", 2: "medium", 3: "broad", e: "eraser" };

export class DrawingPad {
  #form;
  #canvas;
  #strokes;
  #file;
  #live;
  #pad;
  #frame;
  #drawing = new Drawing();
  #stroke = null; // the stroke under the pen
  #pointer = null; // the one pointer that draws
  #penSeen = -Infinity; // ms
  #cursor = null; // the place of the keyboard's pen, once the keys are used
  #version = 0; // of the latest drawing to send
  #timer = null;

  constructor(form) {
    this.#form = form;
    this.#canvas = form.querySelector("canvas");
    this.#strokes = form.querySelector("[name=strokes]");
    this.#file = form.querySelector("[name=file]");
    this.#live = form.querySelector("[name=live]");
    this.#pad = form.querySelector("[name=pad]");
    this.#frame = form.querySelector("[name=frame]");

    this.#canvas.addEventListener("pointerdown", (event) => this.#touch(event));
    this.#canvas.addEventListener("pointermove", (event) => this.#move(event));
    this.#canvas.addEventListener("pointerup", (event) => this.#lift(event));
    this.#canvas.addEventListener("pointercancel", (event) => this.#cancel(event));
    // Otherwise Chrome takes a quick stroke for a fling, and the next tap, on a button, for its end.
    this.#canvas.addEventListener("touchmove", (event) => event.preventDefault(), { passive: false });
    this.#canvas.addEventListener("keydown", (event) => this.#steer(event));
    this.#canvas.addEventListener("blur", () => this.#leave());
    form.addEventListener("keydown", (event) => this.#choose(event));
    form.elements.tool.value = sessionStorage.getItem(TOOL_STORE) ?? this.#tool;
    form.addEventListener("change", () => sessionStorage.setItem(TOOL_STORE, this.#tool));
    for (const action of ["undo", "redo", "clear"]) {
      this.#button(action).addEventListener("click", () => this[action]());
    }
    new ResizeObserver(() => this.#redraw()).observe(this.#canvas);
    window.addEventListener("resize", () => this.#redraw()); // a new device pixel ratio
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#redraw());
  }

  /** Show the drawing that was kept, and the tile that the page was asked for. */
  async begin() {
    await this.#drawing.restore((mark) => load(mark)).catch(() => Drawing.forget());
    const { tile } = this.#canvas.dataset;
    if (tile) this.#drawing.add(await load({ picture: tile, isInk: true }));
    if (this.#drawing.canUndo || this.#drawing.canRedo) this.#changed();
  }

  /** Send the drawing once more, if there is one, as where the fields ask for more than before. */
  send() {
    if (!this.#drawing.isEmpty) this.#sendDrawing(false);
  }

  undo() {
    this.#drawing.undo();
    this.#changed();
  }

  redo() {
    this.#drawing.redo();
    this.#changed();
  }

  clear() {
    if (!this.#drawing.isEmpty || this.#stroke) this.#drawing.add({});
    this.#changed();
    this.#fire("cleared");
  }

  /** Put a picture file on the pad. One that the browser cannot decode leaves the drawing as it is. */
  async take(file) {
    try {
      this.#drawing.add(await load({ picture: await dataUrl(await reduced(file)), isInk: false }, this.#ownView));
      this.#changed();
    } catch {
      this.#fire("unreadable", { file });
    }
  }

  #button(action) {
    return this.#form.querySelector(`[data-action=${action}]`);
  }

  get #tool() {
    return this.#form.elements.tool.value;
  }

  // The pointer

  #touch(event) {
    if (event.pointerType === "pen") this.#penSeen = event.timeStamp;
    const isPalm = event.pointerType === "touch" && event.timeStamp - this.#penSeen < PALM_INTERVAL;
    if (!event.isPrimary || event.button !== 0 || isPalm) return;
    if (this.#pointer !== null && event.pointerType !== "pen") return; // a pen replaces the palm that came before it
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#cursor = null;
    this.#draw(this.#point(event));
  }

  #move(event) {
    if (event.pointerType === "pen") this.#penSeen = event.timeStamp;
    if (event.pointerId !== this.#pointer) return;
    const between = event.getCoalescedEvents?.() ?? []; // what the browser held back since the last frame
    this.#extend((between.length ? between : [event]).map((each) => this.#point(each)));
  }

  #lift(event) {
    if (event.pointerId === this.#pointer) this.#keep();
  }

  /** Drop the stroke of a cancelled touch, which may be a palm; keep the stroke of a cancelled mouse or pen. */
  #cancel(event) {
    if (event.pointerId !== this.#pointer) return;
    if (event.pointerType === "touch") this.#drop();
    else this.#keep();
  }

  /** Convert CSS pixels to units; only this method does so. */
  #point(event) {
    const box = this.#canvas.getBoundingClientRect();
    const [left, top, width] = frameOf(this.#view);
    const unit = box.width / width;
    return clampToReach([left + (event.clientX - box.left) / unit, top + (event.clientY - box.top) / unit]);
  }

  // The keys

  #steer(event) {
    const direction = DIRECTIONS[event.key];
    if (event.key === " ") {
      this.#cursor ??= [0.5, 0.5];
      if (this.#stroke) this.#keep();
      else this.#draw(this.#cursor);
      this.#fire("pen", { isDown: this.#stroke !== null });
    } else if (direction) {
      const [x, y] = this.#cursor ?? [0.5, 0.5];
      this.#cursor = clampToView([x + direction[0] * KEY_STEP, y + direction[1] * KEY_STEP], this.#view);
      if (this.#stroke) this.#extend([this.#cursor]);
      else this.#redraw();
    } else return;
    event.preventDefault(); // the page would scroll
  }

  #leave() {
    this.#cursor = null;
    if (this.#stroke && this.#pointer === null) this.#keep();
    else this.#redraw();
  }

  /** Letters choose tools only beside the pad: elsewhere they may be commands to assistive technology. */
  #choose(event) {
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (key in TOOL_KEYS) {
      this.#form.elements.tool.value = TOOL_KEYS[key];
      sessionStorage.setItem(TOOL_STORE, this.#tool);
    } else if (key === "delete") this.clear();
    else return;
    event.preventDefault();
  }

  // The drawing

  #draw(point) {
    this.#stroke = { points: [point], tool: this.#tool, across: this.#view[0] };
    this.#redraw();
    this.#enable();
  }

  #extend(points) {
    for (const point of points) extendLine(this.#stroke.points, point);
    this.#redraw();
    const isWatched = !this.#form.elements.network.disabled;
    this.#timer ??= setTimeout(() => this.#sendLive(), isWatched ? NETWORK_INTERVAL : LIVE_INTERVAL);
  }

  #keep() {
    this.#drawing.add(this.#stroke);
    this.#changed();
  }

  /** Forget the stroke under the pen. */
  #drop() {
    this.#stroke = this.#pointer = null;
    this.#changed();
  }

  #changed() {
    this.#stroke = this.#pointer = null; // a stroke that is undone or cleared under the pen is over
    this.#redraw();
    this.#drawing.save();
    this.#enable();
    this.#fire("changed");
    if (this.#drawing.isEmpty) this.#forget();
    else this.#sendDrawing(false);
  }

  /** Enable the buttons that have something to do, also for the stroke under the pen. */
  #enable() {
    const { canUndo, canRedo } = this.#drawing;
    const isEmpty = this.#drawing.isEmpty && !this.#stroke;
    const disabled = { undo: !canUndo, redo: !canRedo, clear: isEmpty, explain: isEmpty };
    for (const [action, isDisabled] of Object.entries(disabled)) {
      const button = this.#button(action);
      if (isDisabled && button === document.activeElement) this.#canvas.focus(); // or nothing would have the focus
      button.disabled = isDisabled;
    }
  }

  #redraw() {
    const canvas = this.#canvas;
    const size = [canvas.clientWidth, canvas.clientHeight].map((side) => Math.round(side * devicePixelRatio));
    if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
    const context = canvas.getContext("2d");
    const colour = getComputedStyle(canvas).color;
    const [left, top, width] = frameOf(this.#view);
    const unit = size[0] / width;
    context.clearRect(0, 0, ...size);
    context.save();
    context.translate(-left * unit, -top * unit);
    paint(context, this.#marks, unit, colour);
    if (this.#cursor) paintCursor(context, this.#cursor, WIDTHS[this.#tool], unit, colour);
    context.restore();
  }

  /** The [width, height] in units that the pad shows. */
  get #view() {
    return this.#drawing.viewOf(this.#ownView[0]);
  }

  /** The same for an empty pad, which is as high as a unit. */
  get #ownView() {
    const { clientWidth, clientHeight } = this.#canvas;
    return [clientHeight ? clientWidth / clientHeight : 1, 1];
  }

  get #marks() {
    return this.#stroke ? [...this.#drawing.visible, this.#stroke] : this.#drawing.visible;
  }

  // What is sent

  #sendLive() {
    this.#timer = null;
    if (!this.#stroke || (this.#drawing.isEmpty && reach(this.#stroke.points) < READABLE)) return;
    this.#sendDrawing(true);
  }

  async #sendDrawing(isLive) {
    const version = ++this.#version;
    const marks = this.#marks;
    // Strokes are better than a picture: the server still sees the loops that a thick pen fills.
    const isInked = marks.every((mark) => mark.points && mark.tool !== "eraser");
    if (isInked && marks.flatMap((mark) => mark.points).length <= MAX_POINTS) {
      return this.#send(strokesOf(marks), null, isLive);
    }
    const frame = sentFrame(marks, this.#view);
    const picture = await pictureOf(marks, this.#view);
    if (version === this.#version) this.#send("", picture, isLive, frame);
  }

  /** Fill the fields and fire "drawn"; `frame` is where on the pad the picture lies, if it is on it. */
  #send(strokes, picture, isLive, frame = null) {
    const files = new DataTransfer();
    if (picture) files.items.add(new File([picture], picture.name ?? "drawing", { type: picture.type }));
    this.#strokes.value = strokes;
    this.#file.files = files.files;
    this.#pad.value = JSON.stringify(this.#view.map(rounded));
    this.#frame.value = frame ? JSON.stringify(frame.map(rounded)) : "";
    this.#live.disabled = !isLive;
    if (!isLive) this.#fire("superseded");
    this.#fire("drawn");
  }

  #forget() {
    this.#version += 1;
    this.#strokes.value = this.#file.value = "";
    this.#fire("superseded");
    this.#fire("emptied");
  }

  #fire(name, detail) {
    this.#form.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
