"use strict";
const find = document.getElementById("filter");
const none = document.getElementById("none");
const services = [...document.querySelectorAll(".service")];

function filter() {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (text) => words.every((word) => text.includes(word));
  let shown = 0;
  for (const service of services) {
    const id = service.querySelector("h2").id;
    const endpoints = [...service.querySelectorAll("details")];
    const named = endpoints.filter((one) => fits((id + " " + one.dataset.words).toLowerCase()));
    // Where no endpoint has the words, the service as a whole may.
    const inside = named.length || !fits(service.dataset.words.toLowerCase()) ? named : endpoints;
    endpoints.forEach((one) => (one.hidden = !inside.includes(one)));
    service.hidden = inside.length === 0;
    document.querySelector(`aside a[href="#${CSS.escape(id)}"]`).parentElement.hidden = service.hidden;
    shown += inside.length;
  }
  none.hidden = shown > 0;
}

// A link to an endpoint opens it.
function open() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
}

find.addEventListener("input", filter);
addEventListener("hashchange", open);
addEventListener("keydown", (event) => {
  if (event.key === "/" && !/^(INPUT|TEXTAREA)$/.test(event.target.tagName)) {
    event.preventDefault();
    find.focus();
  } else if (event.key === "Escape" && event.target === find) {
    find.value = "";
    filter();
  }
});
for (const details of document.querySelectorAll("details")) {
  details.addEventListener("toggle", () => details.open && history.replaceState(null, "", "#" + details.id));
}
for (const block of document.querySelectorAll(".example figure")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.querySelector("pre").textContent);
    button.textContent = "copied";
    setTimeout(() => (button.textContent = "copy"), 1500);
  });
  if (navigator.clipboard) block.querySelector("figcaption").append(button);
}
filter();
open();
