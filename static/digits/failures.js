/** Failed htmx requests: show a notice, whether or not the server answered, and repeat the request from its button. */

const notice = document.querySelector("#notice");
const noConnection = document.querySelector("#no-connection");
let failed = null; // configuration of the request that the notice is about

for (const failure of ["htmx:sendError", "htmx:timeout"]) {
  document.body.addEventListener(failure, (event) => {
    notice.replaceChildren(noConnection.content.cloneNode(true));
    failed = event.detail.requestConfig;
  });
}
document.body.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target === notice) failed = event.detail.requestConfig;
});
document.body.addEventListener("htmx:beforeRequest", () => notice.replaceChildren());

notice.addEventListener("click", (event) => {
  if (!event.target.matches("[data-action=retry]")) return;
  failed.elt.focus(); // the button disappears with the notice
  failed.elt.dispatchEvent(new Event(failed.triggeringEvent.type, { bubbles: true, cancelable: true }));
});
