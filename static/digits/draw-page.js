/** The page of the drawing pad: connects the pad to htmx, to picture files and to the rest of the page. */

import { Corrections } from "./corrections.js";
import { DrawingPad } from "./pad.js";
import { obeyKeys, readOneAtATime, withdraw } from "./pad-page.js";

const NETWORK_STORE = "network"; // key in the session storage of the tab

const form = document.querySelector(".drawing-pad");
const prediction = document.querySelector("#prediction");
const explanation = document.querySelector("#explanation");
const nothingDrawn = document.querySelector("#nothing-drawn");
const unanswered = document.querySelector("#unanswered");
const explain = form.querySelector("[data-action=explain]");
const announcement = document.querySelector("#announcement");
const upload = document.querySelector(".upload");
const pad = new DrawingPad(form, "drawing");
let isExplanationAskedFor = false; // by the button, below which it comes into sight

// Events of the pad

form.addEventListener("changed", () => {
  withdraw(explanation);
  explanation.replaceChildren(); // it explained the drawing before
});
form.addEventListener("emptied", () => {
  withdraw(prediction);
  showNoAnswer(nothingDrawn);
});
form.addEventListener("unanswered", () => showNoAnswer(unanswered)); // what stands there is of an earlier drawing
form.addEventListener("cleared", () => {
  announcement.textContent = "Cleared.";
});
form.addEventListener("unreadable", (event) => {
  // The server says why, beside the answer to the drawing, which stays.
  const { file } = event.detail;
  htmx.ajax("POST", form.getAttribute("hx-post"), { source: upload, event, target: "#notice", values: { file } });
});
form.addEventListener("pen", ({ detail }) => {
  announcement.textContent = detail.isDown ? "Pen down." : "Pen up.";
});
readOneAtATime(form, prediction);
obeyKeys(pad);
// The boxes of a new answer lie where a photo is zoomed to; settling, htmx gives them their attributes once more.
for (const event of ["htmx:afterSwap", "htmx:afterSettle"]) prediction.addEventListener(event, () => pad.redraw());
explain.addEventListener("click", () => {
  isExplanationAskedFor = true;
});
explanation.addEventListener("htmx:afterSwap", () => {
  if (isExplanationAskedFor) explanation.scrollIntoView({ block: "nearest" });
  isExplanationAskedFor = false;
});

function showNoAnswer({ content }) {
  prediction.replaceChildren(content.cloneNode(true));
  document.querySelector("#boxes").replaceChildren(); // each answer brings new ones
  const activations = document.querySelector("#activations");
  activations.replaceWith(Object.assign(document.createElement("div"), { id: activations.id, className: activations.className }));
  showActivations();
}

// The network at work: what it shows, and the module that does so, are loaded when its panel is opened.
const panel = document.querySelector(".network-panel");
const { network: asksForNetwork } = form.elements;
let network = null;
let isAskedFor = false; // by the person, who wants to see it; after a reload the page stays where it was
panel.querySelector("summary").addEventListener("click", () => {
  isAskedFor = !panel.open;
});
panel.addEventListener("toggle", () => {
  const wasWatched = !asksForNetwork.disabled;
  asksForNetwork.disabled = !panel.open;
  sessionStorage.setItem(NETWORK_STORE, panel.open ? "open" : "closed");
  if (!panel.open) return;
  if (network) bringIntoSight();
  else panel.dispatchEvent(new CustomEvent("opened"));
  if (!wasWatched) pad.send();
});
panel.querySelector(".network-place").addEventListener("htmx:afterSwap", async () => {
  const { NetworkPanel } = await import("./network.js");
  const element = panel.querySelector(".network");
  element.addEventListener("told", ({ detail }) => {
    announcement.textContent = detail.words;
  });
  network = new NetworkPanel(element);
  showActivations();
  bringIntoSight();
});
prediction.addEventListener("htmx:afterSwap", showActivations);
form.addEventListener("superseded", () => network?.hold());
// What is not read is not explained.
prediction.addEventListener("htmx:afterSwap", () => {
  const isRead = prediction.querySelector(".answered:not(.unread), .idle") !== null;
  if (!isRead && explain === document.activeElement) form.querySelector("canvas").focus();
  explain.disabled = !isRead;
});

/** Scroll as little as shows all layers: the pad is above them. */
function bringIntoSight() {
  if (isAskedFor) panel.querySelector(".layers").scrollIntoView({ block: "nearest" });
  isAskedFor = false;
}

function showActivations() {
  network?.show(document.querySelector("#activations").dataset);
}

// What one says that it is

const fold = document.querySelector(".corrections");
const corrections = new Corrections(fold);
prediction.addEventListener("htmx:afterSwap", () => corrections.offer(prediction));
for (const event of ["begun", "changed"]) form.addEventListener(event, withdrawOffer);
fold.addEventListener("told", ({ detail }) => {
  announcement.textContent = detail.words;
});
fold.addEventListener("none", () => form.querySelector("canvas").focus());
fold.addEventListener("noted", ({ detail }) => {
  // What was read is explained by what it looks like; of what was not read, there is nothing to explain.
  if (detail.read && detail.read !== `${detail.label}`) explainAgainst(detail.label);
});

/** Explain what was read against what was meant. The page stays where it is, as nobody asked for it by the button. */
function explainAgainst(label) {
  const { meant } = form.elements;
  [meant.value, meant.disabled] = [label, false];
  explain.click();
  [meant.disabled, isExplanationAskedFor] = [true, false];
}

function withdrawOffer() {
  if (prediction.contains(document.activeElement)) form.querySelector("canvas").focus(); // or nothing would have the focus
  corrections.withdraw();
}

// Picture files, anywhere on the page

document.addEventListener("paste", (event) => take(event, event.clipboardData.files));
document.addEventListener("drop", (event) => take(event, event.dataTransfer.files));
document.addEventListener("dragover", hover);
document.addEventListener("dragleave", hover);
upload.addEventListener("change", (event) => {
  take(event, event.target.files);
  upload.reset();
});

function take(event, [file]) {
  form.classList.remove("awaits-picture");
  if (!file) return;
  event.preventDefault();
  pad.take(file);
  bringAnswerIntoSight();
}

/** The button for files may be a screen below the pad. */
function bringAnswerIntoSight() {
  const main = document.querySelector("main");
  if (main.getBoundingClientRect().top < 0) main.scrollIntoView();
}

function hover(event) {
  if (!event.dataTransfer.types.includes("Files")) return;
  event.preventDefault(); // otherwise the browser would open the file in place of the page
  const leavesThePage = event.type === "dragleave" && event.relatedTarget === null;
  form.classList.toggle("awaits-picture", !leavesThePage);
}

// The pad sends the kept drawing at once, so htmx must be listening by then.
if (document.readyState !== "complete") {
  await new Promise((resolve) => addEventListener("load", resolve, { once: true }));
}
panel.open = sessionStorage.getItem(NETWORK_STORE) === "open";
asksForNetwork.disabled = !panel.open;
await pad.begin();
if (form.querySelector("[data-tile]")) {
  history.replaceState(history.state, "", location.pathname); // otherwise reloading would bring the tile back
}
