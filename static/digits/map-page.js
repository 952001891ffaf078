/** The page of the map: connects the canvas to pointers, keys and buttons, the address, and the drawing. */

import { OwnDrawing } from "./map-drawing.js";
import { Painter } from "./map-painter.js";
import { MapPointers } from "./map-pointers.js";
import { Sheets } from "./map-sheets.js";
import { SHOWN, Tiles } from "./map-tiles.js";
import { View, between } from "./map-view.js";

const STEP = 1.6; // times the zoom, by a key or a button
const STRIDE = 1 / 5; // of what is seen, by an arrow
const FLIGHT = 450; // ms of a way to another place
const CLOSE = 44; // CSS pixels of the picture of a tile that the address names
const REACH = { mouse: 14, other: 24 }; // CSS pixels from a dot at which it is meant
const PAUSE = 250; // ms without a change until the map rests
const MIDDLE = 0.45; // of the shorter side of what is seen: how far from its middle keys find a tile
const ISLAND = 3; // zoom at which an island is seen

const canvas = document.querySelector("#map");
const records = document.querySelector("#map-tiles");
const card = document.querySelector("#map-tile");
const announcement = document.querySelector("#announcement");
const filter = document.querySelectorAll(".map-filter input");
const islands = [...document.querySelectorAll(".map-legend button")];
const calm = matchMedia("(prefers-reduced-motion: reduce)");

const view = new View();
const scene = { shown: SHOWN.all, focus: -1, own: null };
let tiles = null; // until they have come
let painter = null;
let sheets = null;
let frame = null; // the request for the next one
let flight = null; // {from, to, start}
let telling = null; // the timer until the place is told
let resting = null; // the timer until what is seen is painted sharp
let placeBefore = ""; // what was seen in the frame before
let isByKeys = false; // whether the tile in the middle is meant

const placed = document.querySelector("#placed");
const own = new OwnDrawing(document.querySelector(".drawing-pad"), placed);

// What is seen

function repaint() {
  if (tiles) frame ??= requestAnimationFrame(paint);
}

function paint(now) {
  frame = null;
  if (flight) {
    const done = Math.min(1, (now - flight.start) / FLIGHT);
    view.go(between(flight.from, flight.to, done));
    if (done === 1) flight = null;
  }
  scene.own = own.at(now);
  if (isByKeys) scene.focus = tiles.nearest(view.x, view.y, MIDDLE / view.zoom, scene.shown);
  painter.paint(view, scene);
  sharpenLater();
  canvas.classList.toggle("is-whole", view.zoom <= 1); // a finger scrolls the page where there is nothing to move
  tellTile();
  const side = painter.sideShown(view, scene.shown);
  canvas.dataset.shows = side ? "pictures" : "dots";
  if (flight || own.isFalling) repaint();
  else settle();
}

/** Paint what was stretched sharp, once the map is no longer moved or enlarged. */
function sharpenLater() {
  const place = Object.values(view.state).join(" ");
  if (place === placeBefore) return;
  placeBefore = place;
  clearTimeout(resting);
  resting = setTimeout(() => {
    if (painter.sharpen(view)) repaint();
  }, PAUSE);
}

/** Tell the place in the address, once nothing changes: Back and reload lead to it. */
function settle() {
  clearTimeout(telling);
  telling = setTimeout(() => {
    const { x, y, zoom } = view.state;
    const state = { x: x.toFixed(5), y: y.toFixed(5), zoom: zoom.toFixed(3), show: chosen() };
    const address = `#${new URLSearchParams(state)}`;
    if (location.hash !== address) history.replaceState(history.state, "", address);
    if (isByKeys && scene.focus >= 0) announcement.textContent = `${nameOf(scene.focus)}: ${wordsFor(scene.focus)}`;
  }, PAUSE);
}

function fly(to) {
  const { x, y, zoom } = view.state;
  if (calm.matches) {
    view.go(to);
    flight = null;
  } else flight = { from: { x, y, zoom }, to: { x, y, zoom, ...to }, start: performance.now() };
  repaint();
}

/** The zoom at which the picture of a tile has a side of so many CSS pixels. */
function zoomFor(side) {
  return side / 1.2 / tiles.spacing / Math.min(view.width, view.height);
}

function goToAddress() {
  const [, index] = location.hash.match(/^#tile-(\d{1,9})$/) ?? [];
  if (index) {
    const number = tiles.numberOf(Number(index));
    if (number < 0) return;
    show("all");
    [isByKeys, scene.focus] = [false, number];
    view.go({ x: tiles.x[number], y: tiles.y[number], zoom: zoomFor(CLOSE) });
  } else {
    const state = new URLSearchParams(location.hash.slice(1));
    const [x, y, zoom] = ["x", "y", "zoom"].map((name) => Number(state.get(name)));
    if (x > 0 && y > 0 && zoom > 0) view.go({ x, y, zoom });
    if (state.get("show") in SHOWN) show(state.get("show"));
  }
  repaint();
}

// Which tiles are shown, and which one is meant

function show(name) {
  for (const input of filter) input.checked = input.value === name;
  scene.shown = SHOWN[name];
  scene.focus = -1;
}

function chosen() {
  return [...filter].find((input) => input.checked).value;
}

function nameOf(number) {
  return `Tile ${tiles.index[number]}`;
}

function wordsFor(number) {
  const { digit, answer } = tiles;
  const said = tiles.isUnsure(number) ? `, perhaps ${answer[number]}: not sure` : `, read as ${answer[number]}`;
  return `a ${digit[number]}${said}${tiles.isWrong(number) ? " ✗" : ""}`;
}

/** The tile at a place on the canvas; -1 if there is none. */
function tileAt({ left, top, type }) {
  const side = painter.sideShown(view, scene.shown);
  const within = Math.max(side * 0.6, type === "mouse" ? REACH.mouse : REACH.other);
  return tiles.nearest(...view.toMap(left, top), within / view.side, scene.shown);
}

function tellTile() {
  card.hidden = scene.focus < 0;
  if (card.hidden || card.dataset.number === `${scene.focus}`) return;
  const [name, words] = ["name", "words"].map((part) => card.querySelector(`[data-part=${part}]`));
  name.textContent = nameOf(scene.focus);
  name.href = addressOf(scene.focus);
  words.textContent = wordsFor(scene.focus);
  words.className = tiles.isWrong(scene.focus) ? "wrong" : tiles.isUnsure(scene.focus) ? "unsure" : "";
  const picture = sheets.find(scene.focus, Number(canvas.dataset.large), [Number(canvas.dataset.small)]);
  const thumbnail = card.querySelector("canvas");
  thumbnail.getContext("2d").clearRect(0, 0, thumbnail.width, thumbnail.height);
  if (picture) thumbnail.getContext("2d").drawImage(...picture, 0, 0, thumbnail.width, thumbnail.height);
  card.dataset.number = picture?.[3] === Number(canvas.dataset.large) ? scene.focus : ""; // or again, when it has come
}

function addressOf(number) {
  return canvas.dataset.tile.replace(/\d+(?=\/$)/, tiles.index[number]);
}

// Pointers, keys and buttons

const changes = {
  pan: ({ right, down }) => view.pan(right, down),
  zoom: ({ factor, left, top }) => view.zoomAt(factor, left, top),
  point: (place) => (scene.focus = tileAt(place)),
  unpoint: () => (scene.focus = -1),
};
new MapPointers(canvas);
for (const [name, change] of Object.entries(changes)) {
  canvas.addEventListener(name, ({ detail }) => {
    if (!tiles) return;
    isByKeys = false;
    if (name === "pan" || name === "zoom") flight = null;
    change(detail);
    repaint();
  });
}
canvas.addEventListener("tap", ({ detail }) => {
  if (!tiles) return;
  const number = tileAt(detail);
  isByKeys = false;
  if (painter.sideShown(view, scene.shown) && number >= 0) location.assign(addressOf(number));
  else if (!painter.sideOf(view)) {
    const [x, y] = view.toMap(detail.left, detail.top);
    fly({ x, y, zoom: Math.max(2.5 * view.zoom, zoomFor(20)) });
  }
});

const ARROWS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
canvas.addEventListener("keydown", (event) => {
  if (!tiles || event.ctrlKey || event.metaKey || event.altKey) return;
  const arrow = ARROWS[event.key];
  if (arrow) view.pan(arrow[0] * view.width * STRIDE, arrow[1] * view.height * STRIDE);
  else if (event.key === "+" || event.key === "=") view.zoomAt(STEP);
  else if (event.key === "-") view.zoomAt(1 / STEP);
  else if (event.key === "0") view.go({ zoom: 1 });
  else if (event.key === "Enter" && scene.focus >= 0) location.assign(addressOf(scene.focus));
  else return;
  event.preventDefault(); // the page would scroll
  [isByKeys, flight] = [true, null];
  repaint();
});
canvas.addEventListener("focus", () => {
  isByKeys = canvas.matches(":focus-visible");
  repaint();
});
canvas.addEventListener("blur", () => {
  [isByKeys, scene.focus] = [false, -1];
  repaint();
});

const zooms = { in: () => STEP * view.zoom, out: () => view.zoom / STEP, whole: () => 1 };
for (const button of document.querySelectorAll("[data-zoom]")) {
  button.addEventListener("click", () => fly({ zoom: zooms[button.dataset.zoom]() }));
}
for (const island of islands) {
  island.addEventListener("click", () => fly({ x: island.dataset.x / 1000, y: island.dataset.y / 1000, zoom: ISLAND }));
}
for (const input of filter) {
  input.addEventListener("change", () => {
    show(input.value);
    announcement.textContent = input.labels[0].textContent.trim();
    repaint();
  });
}

// A drawing falls into place

own.addEventListener("placed", ({ detail: { x, y, index, isAgain } }) => {
  own.alike = index.map((each) => tiles.numberOf(each)).filter((number) => number >= 0);
  repaint();
  if (isAgain) return; // the address says what is in sight
  if (!view.sees(x, y) || !painter.sideOf(view)) fly({ x, y, zoom: Math.max(view.zoom, zoomFor(26)) });
  canvas.scrollIntoView({ block: "nearest", behavior: calm.matches ? "auto" : "smooth" });
});
own.addEventListener("gone", repaint);
placed.addEventListener("htmx:afterSwap", () => own.take());

// Colours and size

function colour() {
  const colourOf = (element) => getComputedStyle(element).color;
  const marks = Object.fromEntries(["wrong", "unsure"].map((name) => [name, colourOf(document.querySelector(`.ring.${name}`))]));
  const digits = [];
  for (const island of islands) digits[island.dataset.digit] = colourOf(island.firstElementChild);
  const { backgroundColor: paper, color: ink, caretColor: accent, outlineColor: faint } = getComputedStyle(canvas);
  painter.colour({ digits, paper, ink, accent, faint, ...marks });
  own.colour(matchMedia("(prefers-color-scheme: dark)").matches);
  card.dataset.number = "";
  repaint();
}

function begin() {
  tiles = new Tiles(records.firstElementChild.dataset.records);
  const { sheets: address, across, small, large } = canvas.dataset;
  sheets = new Sheets(tiles, address, Number(across));
  sheets.addEventListener("loaded", repaint);
  const names = islands.map(({ dataset: { digit, x, y } }) => ({ digit, x: x / 1000, y: y / 1000 }));
  painter = new Painter(canvas, tiles, sheets, names, [Number(small), Number(large)]);
  [view.width, view.height] = painter.fit();
  colour();
  goToAddress();
  for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
    matchMedia(query).addEventListener("change", colour);
  }
  new ResizeObserver(() => {
    [view.width, view.height] = painter.fit();
    view.go({});
    painter.paint(view, scene); // at once, as the canvas is empty now
    repaint();
  }).observe(canvas);
  addEventListener("hashchange", goToAddress);
}

const restored = own.begin();
if (!records.firstElementChild) {
  await new Promise((resolve) => records.addEventListener("htmx:afterSwap", resolve, { once: true }));
}
begin();
await restored;
own.placeAgain();
