/**
 * htmx requests that bring no answer: a notice says so and has a button to try again. A request that finds the server
 * busy is repeated by itself. The element whose request it was gets the event "unanswered", and has the class
 * "awaits-retry" until the request is repeated.
 */

const SIGN = "Digits-Answer"; // a header of every answer of this site to htmx
const MOST_RETRIES = 5; // of one request, before its button asks the person
const LONGEST_WAIT = 120; // seconds that a request may wait to be repeated by itself
const SPREAD = 1000; // ms over which the clients that a busy server refused at once come back

const notice = document.querySelector("#notice");
const templates = ["no-connection", "foreign-answer", "server-busy"];
const [noConnection, foreignAnswer, busy] = templates.map((id) => document.querySelector(`#${id}`).content);

let failed = null; // configuration of the request that the notice is about
const waiting = new Map(); // element -> configuration of its request, to be repeated
const retries = new WeakMap(); // the event that repeats a request -> how often that has been done
let secondsLeft = 0; // until the waiting requests are repeated
let timer = null;

// What comes in

for (const failure of ["htmx:sendError", "htmx:timeout"]) {
  document.body.addEventListener(failure, ({ detail }) => complain(noConnection, detail.requestConfig));
}

// Before htmx looks at the answer, so that none of another's headers can redirect the page or change its history.
document.body.addEventListener("htmx:beforeOnLoad", (event) => {
  if (event.defaultPrevented) return; // the page has no use for this answer any more
  const { xhr, requestConfig } = event.detail;
  const isOurs = xhr.getResponseHeader(SIGN) !== null;
  if (isOurs && xhr.getResponseHeader("HX-Retarget") === null) return;
  const seconds = secondsToWait(xhr);
  if (seconds <= LONGEST_WAIT && timesRetried(requestConfig) < MOST_RETRIES) {
    event.preventDefault();
    wait(requestConfig, seconds);
    tellUnanswered(requestConfig);
  } else if (isOurs) {
    failed = requestConfig; // its notice is in the answer
    tellUnanswered(requestConfig);
  } else {
    event.preventDefault();
    complain(foreignAnswer, requestConfig);
  }
});

document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (event.defaultPrevented) return;
  forget(event.detail.elt); // this request replaces the one that waits
  if (!waiting.size && !timesRetried(event.detail.requestConfig)) notice.replaceChildren();
});

document.body.addEventListener("htmx:afterRequest", clearBusy);

// Who withdraws a request, also withdraws one that waits.
document.body.addEventListener("htmx:abort", ({ target }) => {
  for (const { elt, target: place } of waiting.values()) if (target === elt || target === place) forget(elt);
  clearBusy();
});

// An aborted request is withdrawn, not failed. htmx logs it as an error all the same, unless its details name another.
document.body.addEventListener("htmx:beforeSend", ({ detail }) => {
  const { onabort } = detail.xhr;
  detail.xhr.onabort = () => {
    detail.error = null;
    onabort();
  };
});

notice.addEventListener("click", (event) => {
  if (!event.target.matches("[data-action=retry]")) return;
  failed.elt.focus(); // the button disappears with the notice
  failed.elt.dispatchEvent(sameEvent(failed));
});

// What is done about it

function complain(template, requestConfig) {
  notice.replaceChildren(template.cloneNode(true));
  failed = requestConfig;
  tellUnanswered(requestConfig);
}

function tellUnanswered({ elt }) {
  elt.dispatchEvent(new CustomEvent("unanswered"));
}

/** How long a busy server asks to be left alone, or NaN if it does not. */
function secondsToWait(xhr) {
  const told = xhr.getResponseHeader("Retry-After");
  if (told === null || ![429, 503].includes(xhr.status)) return NaN;
  return Math.max(0, Math.ceil(/^\d+$/.test(told) ? Number(told) : (Date.parse(told) - Date.now()) / 1000));
}

/** All who wait are repeated together, when the longest wait is over. */
function wait(requestConfig, seconds) {
  waiting.set(requestConfig.elt, requestConfig);
  requestConfig.elt.classList.add("awaits-retry");
  secondsLeft = Math.max(secondsLeft, seconds);
  clearTimeout(timer);
  countDown();
}

function countDown() {
  const shown = busy.cloneNode(true);
  const when = secondsLeft === 1 ? "in 1 second" : `in ${secondsLeft} seconds`;
  shown.querySelector("[data-when]").textContent = secondsLeft ? when : "now";
  const earlier = notice.querySelector("[data-when]");
  if (earlier) earlier.replaceWith(shown.querySelector("[data-when]")); // or each second would be announced
  else notice.replaceChildren(shown);
  timer = secondsLeft ? setTimeout(countDown, 1000) : setTimeout(repeat, SPREAD * Math.random());
  secondsLeft = Math.max(0, secondsLeft - 1);
}

function repeat() {
  for (const requestConfig of [...waiting.values()]) {
    const event = sameEvent(requestConfig);
    retries.set(event, timesRetried(requestConfig) + 1);
    forget(requestConfig.elt);
    requestConfig.elt.dispatchEvent(event);
  }
}

function forget(elt) {
  if (!waiting.delete(elt)) return;
  elt.classList.remove("awaits-retry");
  if (waiting.size) return;
  clearTimeout(timer);
  secondsLeft = 0;
}

/** Take the notice away when nothing waits any more. */
function clearBusy() {
  if (!waiting.size) notice.querySelector(".busy")?.remove();
}

function timesRetried({ triggeringEvent }) {
  return retries.get(triggeringEvent) ?? 0;
}

function sameEvent({ triggeringEvent }) {
  return new Event(triggeringEvent.type, { bubbles: true, cancelable: true });
}
