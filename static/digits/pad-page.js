/** What the pages with a pad have in common: each answer stands beside the drawing that it is of; keys undo and redo. */

const PATIENCE = 1000; // ms that an earlier drawing may still be read

let isWithdrawing = false;

/**
 * One drawing is read at a time, and htmx keeps the newest until then. The server would go on reading a drawing whose
 * request is aborted, and soon be too busy for this client, so only a request that takes long is aborted.
 *
 * @param {HTMLFormElement} form - of the pad, which sends its drawings through htmx
 * @param {Element} prediction - where the answers go, on which htmx synchronises the requests
 */
export function readOneAtATime(form, prediction) {
  let reading = null; // the latest request
  const outOfDate = new WeakSet(); // requests of earlier drawings
  form.addEventListener("htmx:beforeSend", ({ target, detail }) => {
    if (target === form) reading = detail.xhr;
  });
  form.addEventListener("superseded", () => {
    if (!reading) return;
    const earlier = reading;
    outOfDate.add(earlier);
    setTimeout(() => reading === earlier && abort(prediction), PATIENCE);
  });
  form.addEventListener("htmx:beforeOnLoad", (event) => {
    if (outOfDate.has(event.detail.xhr)) event.preventDefault();
  });
  // When a request is aborted, htmx starts the one queued behind it: of an earlier drawing too, so it is prevented.
  form.addEventListener("htmx:beforeRequest", (event) => {
    const isLive = event.target === form && !form.elements.live.disabled;
    // A busy server is not asked about what is still under the pen.
    if (isWithdrawing || (isLive && form.matches(".awaits-retry"))) event.preventDefault();
  });
}

/** Abort the request that htmx synchronises on an element, and those that wait behind it. */
export function withdraw(element) {
  isWithdrawing = true;
  abort(element);
  isWithdrawing = false;
}

function abort(element) {
  // htmx looks for an element in the detail before the target.
  element.dispatchEvent(new CustomEvent("htmx:abort", { bubbles: true, detail: {} }));
}

/** Undo and redo by keys, anywhere on the page. */
export function obeyKeys(pad) {
  document.addEventListener("keydown", (event) => {
    const key = event.key.toLowerCase();
    if (!event.ctrlKey && !event.metaKey) return;
    if (key === "y" || (key === "z" && event.shiftKey)) pad.redo();
    else if (key === "z") pad.undo();
    else return;
    event.preventDefault();
  });
}
