/**
 * The drawing pad: turns pointer strokes into a picture in the form's file field and fires "drawn" on the form.
 * Whoever listens, here htmx, sends the form.
 */

const PEN_WIDTH = 20 / 280; // of the pad's side: a digit of half the pad's height gets MNIST's stroke, 2-3 of 20 pixels
const PICTURE_SIDE = 280; // pixels of the picture that is sent, whatever the screen

class DrawingPad {
  #form;
  #canvas;
  #file;
  #prediction;
  #nothingDrawn;
  #strokes = []; // each a list of [x, y] in shares of the pad's side, so that any size can be drawn from them
  #pointer = null; // the one pointer that draws
  #changes = 0;

  constructor(form) {
    this.#form = form;
    this.#canvas = form.querySelector("canvas");
    this.#file = form.querySelector("[name=file]");
    this.#prediction = document.querySelector("#prediction");
    this.#nothingDrawn = document.querySelector("#nothing-drawn");

    this.#canvas.addEventListener("pointerdown", (event) => this.#begin(event));
    this.#canvas.addEventListener("pointermove", (event) => this.#extend(event));
    this.#canvas.addEventListener("pointerup", (event) => this.#end(event));
    this.#canvas.addEventListener("pointercancel", (event) => this.#end(event));
    this.#button("undo").addEventListener("click", () => this.#keep(this.#strokes.slice(0, -1)));
    this.#button("clear").addEventListener("click", () => this.#keep([]));

    form.hidden = false;
    new ResizeObserver(() => this.#redraw()).observe(this.#canvas);
    window.addEventListener("resize", () => this.#redraw()); // a new device pixel ratio
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#redraw());
  }

  #button(action) {
    return this.#form.querySelector(`[data-action=${action}]`);
  }

  #begin(event) {
    if (this.#pointer !== null || !event.isPrimary || event.button !== 0) return;
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#strokes.push([this.#point(event)]);
    this.#redraw();
  }

  #extend(event) {
    if (event.pointerId !== this.#pointer) return;
    const between = event.getCoalescedEvents?.() ?? []; // what the browser held back since the last frame
    this.#strokes.at(-1).push(...(between.length ? between : [event]).map((each) => this.#point(each)));
    this.#redraw();
  }

  #end(event) {
    if (event.pointerId === this.#pointer) this.#keep(this.#strokes);
  }

  /** From CSS pixels to shares of the pad's side: the only place. */
  #point(event) {
    const box = this.#canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  #keep(strokes) {
    this.#pointer = null; // undone or cleared under the pen, the stroke is over
    this.#strokes = strokes;
    this.#changes += 1;
    this.#redraw();
    for (const action of ["undo", "clear"]) this.#button(action).disabled = strokes.length === 0;
    if (strokes.length) this.#send();
    else this.#forget();
  }

  async #send() {
    const change = this.#changes;
    const picture = document.createElement("canvas");
    picture.width = picture.height = PICTURE_SIDE;
    const context = picture.getContext("2d");
    context.fillStyle = "white";
    context.fillRect(0, 0, PICTURE_SIDE, PICTURE_SIDE);
    paint(context, this.#strokes, PICTURE_SIDE, "black");
    const blob = await new Promise((resolve) => picture.toBlob(resolve));
    if (change !== this.#changes) return;
    const files = new DataTransfer();
    files.items.add(new File([blob], "drawing.png", { type: "image/png" }));
    this.#file.files = files.files;
    this.#form.dispatchEvent(new Event("drawn"));
  }

  #forget() {
    this.#file.value = "";
    // An answer on its way is to nothing that is left. (htmx looks for an element in the detail before the target.)
    this.#prediction.dispatchEvent(new CustomEvent("htmx:abort", { bubbles: true, detail: {} }));
    this.#prediction.replaceChildren(this.#nothingDrawn.content.cloneNode(true));
  }

  #redraw() {
    const side = Math.round(this.#canvas.clientWidth * devicePixelRatio);
    if (this.#canvas.width !== side) this.#canvas.width = this.#canvas.height = side;
    const context = this.#canvas.getContext("2d");
    context.clearRect(0, 0, side, side);
    paint(context, this.#strokes, side, getComputedStyle(this.#canvas).color);
  }
}

/** Draw strokes as smooth lines: curves from middle to middle of the points, bent towards the points. */
function paint(context, strokes, side, colour) {
  context.lineWidth = PEN_WIDTH * side;
  context.lineCap = context.lineJoin = "round";
  context.strokeStyle = colour;
  for (const stroke of strokes) {
    const points = stroke.map(([x, y]) => [x * side, y * side]);
    context.beginPath();
    context.moveTo(...points[0]);
    for (let i = 1; i < points.length - 1; i++) {
      const [[x, y], [nextX, nextY]] = [points[i], points[i + 1]];
      context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    }
    const [x, y] = points.at(-1);
    context.lineTo(x + 0.001, y); // a line of no length would leave no dot
    context.stroke();
  }
}

for (const form of document.querySelectorAll(".drawing-pad")) new DrawingPad(form);
