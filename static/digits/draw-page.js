/** The page of the drawing pad: connects the pad to htmx, to picture files and to the rest of the page. */

import { DrawingPad } from "./pad.js";

const form = document.querySelector(".drawing-pad");
const prediction = document.querySelector("#prediction");
const explanation = document.querySelector("#explanation");
const nothingDrawn = document.querySelector("#nothing-drawn");
const announcement = document.querySelector("#announcement");
const upload = document.querySelector(".upload");
const pad = new DrawingPad(form);

// Events of the pad

form.addEventListener("changed", () => explanation.replaceChildren()); // it explained the drawing before
form.addEventListener("emptied", () => {
  prediction.replaceChildren(nothingDrawn.content.cloneNode(true));
  document.querySelector("#boxes").replaceChildren(); // each answer brings new ones
});
form.addEventListener("cleared", () => {
  announcement.textContent = "Cleared.";
});
form.addEventListener("unreadable", ({ detail }) => {
  // The server says why, beside the answer to the drawing, which stays.
  htmx.ajax("POST", form.getAttribute("hx-post"), { source: upload, target: "#notice", values: { file: detail.file } });
});
form.addEventListener("pen", ({ detail }) => {
  announcement.textContent = detail.isDown ? "Pen down." : "Pen up.";
});
explanation.addEventListener("htmx:afterSwap", () => explanation.scrollIntoView({ block: "nearest" }));

// When a request is aborted, htmx starts the one queued behind it: of an earlier drawing too, so it is prevented.
let isWithdrawing = false;
form.addEventListener("superseded", () => {
  isWithdrawing = true;
  // htmx looks for an element in the detail before the target.
  prediction.dispatchEvent(new CustomEvent("htmx:abort", { bubbles: true, detail: {} }));
  isWithdrawing = false;
});
form.addEventListener("htmx:beforeRequest", (event) => isWithdrawing && event.preventDefault());

// Keys and picture files, anywhere on the page

document.addEventListener("keydown", (event) => {
  const key = event.key.toLowerCase();
  if (!event.ctrlKey && !event.metaKey) return;
  if (key === "y" || (key === "z" && event.shiftKey)) pad.redo();
  else if (key === "z") pad.undo();
  else return;
  event.preventDefault();
});

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
await pad.begin();
if (form.querySelector("[data-tile]")) {
  history.replaceState(history.state, "", location.pathname); // otherwise reloading would bring the tile back
}
