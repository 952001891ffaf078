/**
 * The network at work, a widget in its element: it paints what each layer computes for the drawing, and shows one unit
 * large with what it looks at. It looks up nothing outside its element, and fires these events on it:
 *
 * - "painted", with detail.reached: how many layers show the newest drawing; the signal reaches one after the other
 * - "told", with detail.words: a unit was chosen by a key or a button, and these words say what it is
 */

import { FULL_WEIGHT, brightnessOf, frameOf, layersOf, linkWords, linksOf, mapOf, nameOf, roleOf, stateOf } from "./network-layers.js";
import { coloursOf, layoutOf, paintMap, paintNetwork, paintSigned, stripOf, unitAt } from "./network-painting.js";

const STEP = 60; // ms that the signal takes from layer to layer
const PAINT_INTERVAL = 30; // ms between two paintings of the signal, for which the server may need the processor
const LINES = 2; // drawn for each filter and neuron, of its strongest links
const OUTPUT_LINES = 8; // drawn for each output that is likely
const LIKELY = 13; // byte of an output's probability from which its lines are drawn
const CONTRIBUTIONS_COLUMNS = 12; // of the neurons beside the words about an output
const FAINT = 0.25; // strength below which a line is left out
/** What is said without a drawing, before a unit is chosen. */
const RESTING = {
  name: "The network at rest",
  role: "Draw something to see it work.",
  state: "Point at a filter, a neuron or an output, or tap it, to see what it looks at.",
};

export class NetworkPanel {
  #root;
  #canvas;
  #layers;
  #frames; // of each layer, what it shows
  #strips; // of each layer, its maps as a picture
  #lines; // of each layer, from the layer before
  #arrivals = []; // frames that have not reached the last layer, and when they came, in ms
  #layout;
  #colours;
  #chosen = null; // [layer, unit], by a tap or a key
  #pointed = null; // the same while the mouse is over it
  #still = matchMedia("(prefers-reduced-motion: reduce)");
  #painting = null;
  #painted = 0; // ms, when the signal was painted last

  /** @param {HTMLElement} root the element of `_network.html` */
  constructor(root) {
    this.#root = root;
    this.#canvas = root.querySelector("canvas.layers");
    this.#layers = layersOf(root.dataset);
    const empty = frameOf({}, this.#layers);
    this.#frames = this.#layers.map(() => empty);
    this.#lines = this.#layers.map(() => []);
    const select = this.#part("layer");
    select.append(...this.#layers.map(({ name }, place) => new Option(name, place)));
    select.value = this.#layers.length - 1;

    this.#canvas.addEventListener("pointermove", (event) => this.#point(this.#unitAt(event)));
    this.#canvas.addEventListener("pointerleave", () => this.#point(null));
    this.#canvas.addEventListener("click", (event) => this.#choose(this.#unitAt(event)));
    this.#canvas.addEventListener("keydown", (event) => this.#steer(event));
    this.#canvas.addEventListener("focus", () => {
      if (this.#canvas.matches(":focus-visible")) this.#tell(this.#chosen ?? this.#likeliest);
    });
    select.addEventListener("change", () => this.#tell([Number(select.value), 0]));
    for (const [action, step] of [["previous", -1], ["next", 1]]) {
      root.querySelector(`[data-action=${action}]`).addEventListener("click", () => this.#step(step));
    }
    new ResizeObserver(() => this.#resize()).observe(this.#canvas);
    for (const media of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
      matchMedia(media).addEventListener("change", () => this.#resize());
    }
    this.#resize();
  }

  /**
   * Show what the network computes for a drawing; nothing is lit without one.
   * @param {DOMStringMap} data of the element of `_activations.html`
   */
  show(data) {
    const frame = frameOf(data, this.#layers);
    this.#arrivals.push({ frame, at: performance.now() });
    if (this.#still.matches || frame.isEmpty) {
      for (const place of this.#layers.keys()) this.#reach(place, frame);
      this.#arrivals = [];
      this.#paint(performance.now());
    } else this.#painting ??= requestAnimationFrame(() => this.#flowNext()); // the answer is painted first
    if (!this.#shown) this.#describe();
  }

  /** Paint nothing more until a drawing is shown again: its answer is awaited, and needs the processor. */
  hold() {
    cancelAnimationFrame(this.#painting);
    this.#painting = null;
  }

  #part(name) {
    return this.#root.querySelector(`[data-part=${name}]`);
  }

  // The signal

  /** Let the frames reach the layers that they have come to by now. */
  #flow(now) {
    if (now - this.#painted < PAINT_INTERVAL) {
      this.#flowNext();
      return;
    }
    [this.#painting, this.#painted] = [null, now];
    for (const place of this.#layers.keys()) {
      const reached = this.#arrivals.findLast(({ at }) => at + place * STEP <= now);
      if (reached && this.#frames[place] !== reached.frame) this.#reach(place, reached.frame);
    }
    const last = this.#frames.at(-1);
    const done = this.#arrivals.findIndex(({ frame }) => frame === last);
    if (done > 0) this.#arrivals.splice(0, done);
    const isOver = !this.#arrivals.length || (done >= 0 && this.#arrivals.length === 1);
    this.#paint(now);
    if (isOver) this.#arrivals = [];
    else this.#flowNext();
  }

  #flowNext() {
    this.#painting = requestAnimationFrame((now) => this.#flow(now));
  }

  #reach(place, frame) {
    const { side } = this.#layers[place];
    this.#frames[place] = frame;
    this.#strips[place] = stripOf(frame.maps[place], side, this.#colours, this.#strips[place]);
    this.#lines[place] = frame.isEmpty || !place ? [] : this.#linesTo(place, frame);
    const shown = this.#shown ?? this.#likeliest;
    if (shown[0] === place) this.#describe();
  }

  /** The lines from the layer before along which much flows: [source, unit, strength, sign]. */
  #linesTo(place, frame) {
    const { units, links, sources, unit } = this.#layers[place];
    if (unit === "output") {
      const likely = Array.from({ length: units }, (_, output) => output).filter((output) => frame.maps[place][output] >= LIKELY);
      const lines = likely.flatMap((output) => {
        const found = linksOf(this.#layers, frame, place, output, OUTPUT_LINES);
        const most = Math.abs(found[0].adds) || 1;
        const weight = frame.maps[place][output] / 255;
        return found.map(({ source, adds }) => [source, output, (Math.abs(adds) / most) * (0.4 + 0.6 * weight), Math.sign(adds)]);
      });
      return lines.filter(([, , strength]) => strength >= FAINT);
    }
    const [before, own] = [place - 1, place].map((each) => brightnessOf(this.#layers, frame, each));
    const lines = [];
    for (let index = 0; index < units; index += 1) {
      for (let link = 0; link < Math.min(LINES, links); link += 1) {
        const source = sources[index * links + link];
        const strength = Math.min(own[index], before[source]) / 255;
        if (strength >= FAINT) lines.push([source, index, strength, 0]);
      }
    }
    return lines;
  }

  // The picture

  #resize() {
    const width = this.#canvas.clientWidth;
    if (!width) return; // the panel is closed
    this.#colours = coloursOf(this.#canvas);
    this.#layout = layoutOf(this.#layers, width);
    const size = [width, this.#layout.height].map((side) => Math.round(side * devicePixelRatio));
    if (this.#canvas.width !== size[0] || this.#canvas.height !== size[1]) [this.#canvas.width, this.#canvas.height] = size;
    this.#canvas.style.height = `${this.#layout.height}px`;
    this.#strips = this.#layers.map(({ side }, place) => stripOf(this.#frames[place].maps[place], side, this.#colours));
    this.#paint(performance.now());
    this.#describe();
  }

  #paint(now) {
    if (!this.#layout) return;
    const context = this.#canvas.getContext("2d");
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    const chosen = this.#shown;
    paintNetwork(
      context,
      {
        layers: this.#layers,
        layout: this.#layout,
        colours: this.#colours,
        strips: this.#strips,
        frames: this.#frames,
        lines: this.#lines,
        flows: this.#layers.map((_, place) => this.#flowTo(place, now)),
        chosen,
        links: chosen ? linksOf(this.#layers, this.#frames[chosen[0]], ...chosen) : [],
      },
      this.#layout.blocks.length && this.#canvas.clientWidth,
    );
    const newest = this.#arrivals.at(-1)?.frame ?? this.#frames.at(-1);
    this.#fire("painted", { reached: this.#frames.filter((frame) => frame === newest).length });
  }

  /** How far a signal is on its way to a layer, 0 to 1; null if none is. */
  #flowTo(place, now) {
    const flows = this.#arrivals.map(({ at }) => (now - at) / STEP - (place - 1));
    return flows.findLast((flow) => flow >= 0 && flow <= 1) ?? null;
  }

  // The unit that is shown large

  get #shown() {
    return this.#pointed ?? this.#chosen;
  }

  /** The output of the likeliest digit, which is shown before a unit is chosen. */
  get #likeliest() {
    const last = this.#layers.length - 1;
    const outputs = this.#frames[last].maps[last];
    return [last, Math.max(0, outputs.indexOf(Math.max(...outputs)))];
  }

  #unitAt({ offsetX, offsetY }) {
    return unitAt(this.#layout, offsetX, offsetY);
  }

  #point(unit) {
    if (String(unit) === String(this.#pointed)) return;
    this.#pointed = unit;
    this.#again();
  }

  #choose(unit) {
    if (!unit) return;
    this.#chosen = unit;
    this.#root.classList.add("is-chosen");
    this.#again();
  }

  /** Choose a unit and say what it is. */
  #tell(unit) {
    this.#pointed = null;
    this.#choose(unit);
    const parts = [nameOf(this.#layers[unit[0]], unit[1]), this.#part("state").textContent];
    const sources = [...this.#part("sources").children].map(({ textContent }) => textContent.trim());
    if (sources.length) parts.push(`${this.#part("sources-head").textContent} ${sources.join("; ")}.`);
    this.#fire("told", { words: parts.join(" ") });
  }

  #step(by) {
    const [place, unit] = this.#chosen ?? this.#likeliest;
    const { units } = this.#layers[place];
    const isResting = !this.#chosen && this.#frames.at(-1).isEmpty; // no unit is shown, so none was before
    this.#tell([place, isResting ? unit : (unit + by + units) % units]);
  }

  #steer(event) {
    const [place, unit] = this.#chosen ?? this.#likeliest;
    const last = this.#layers.length - 1;
    const to = (layer) => {
      const { units } = this.#layers[layer];
      return [layer, Math.min(units - 1, Math.floor((unit * units) / this.#layers[place].units))];
    };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ArrowLeft") this.#tell(to(Math.max(0, place - 1)));
    else if (event.key === "ArrowRight") this.#tell(to(Math.min(last, place + 1)));
    else if (event.key === "ArrowUp") this.#step(-1);
    else if (event.key === "ArrowDown") this.#step(1);
    else if (event.key === "Home") this.#tell([place, 0]);
    else if (event.key === "End") this.#tell([place, this.#layers[place].units - 1]);
    else return;
    event.preventDefault(); // the page would scroll
  }

  #again() {
    this.#paint(performance.now());
    this.#describe();
  }

  #describe() {
    if (!this.#colours) return;
    const [place, unit] = this.#shown ?? this.#likeliest;
    const layer = this.#layers[place];
    const frame = this.#frames[place];
    const isResting = frame.isEmpty && !this.#shown;
    this.#part("layer").value = place;
    this.#part("name").textContent = isResting ? RESTING.name : nameOf(layer, unit);
    this.#part("state").textContent = isResting ? RESTING.state : stateOf(this.#layers, frame, place, unit);
    this.#part("role").textContent = isResting ? RESTING.role : roleOf(this.#layers, place, unit);
    const large = this.#root.querySelector(".large");
    if (layer.unit === "output" && !frame.isEmpty) this.#paintContributions(large, frame, place, unit);
    else paintMap(large, mapOf(this.#layers, frame, place, unit), layer.side, this.#colours);
    const links = isResting ? [] : linksOf(this.#layers, frame, place, unit);
    const head = links[0]?.adds === null ? "It looks at:" : "What counts most:";
    this.#part("sources-head").textContent = links.length ? head : "";
    const list = this.#part("sources");
    while (list.children.length > links.length) list.lastChild.remove();
    while (list.children.length < links.length) list.append(newItem());
    links.forEach((link, i) => this.#fill(list.children[i], place, frame, link));
  }

  /** What each neuron adds to an output. */
  #paintContributions(canvas, frame, place, output) {
    const adds = new Array(this.#layers[place - 1].units).fill(0);
    const all = this.#layers[place].links;
    for (const link of linksOf(this.#layers, frame, place, output, all)) adds[link.source] = link.adds;
    paintSigned(canvas, adds, CONTRIBUTIONS_COLUMNS, this.#colours);
  }

  /** Show one link of the unit: the map that it looks at, its weights and both in words. */
  #fill(item, place, frame, link) {
    const [map, kernel, words] = item.children;
    const { side } = this.#layers[place - 1];
    const { reach } = this.#layers[place];
    paintMap(map, mapOf(this.#layers, frame, place - 1, link.source), side, this.#colours);
    paintSigned(kernel, [...link.kernel], reach, this.#colours, reach === 1 ? FULL_WEIGHT : undefined);
    words.textContent = linkWords(this.#layers, place, link);
  }

  #fire(name, detail) {
    this.#root.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

function newItem() {
  const item = document.createElement("li");
  const parts = ["canvas", "canvas", "span"].map((name) => document.createElement(name));
  for (const picture of parts.slice(0, 2)) picture.ariaHidden = "true";
  item.append(...parts);
  return item;
}
