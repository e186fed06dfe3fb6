// Follows the calls in progress: each event names the parts of the page that have changed.
const rows = document.querySelector("#calls tbody");
const token = document.querySelector("meta[name=csrf]").content;

function element(text) {
  const template = document.createElement("template");
  template.innerHTML = text;
  return template.content.firstElementChild;
}

function found(name) {
  return [...document.querySelectorAll("[data-part]")].find((part) => part.dataset.part === name);
}

function addRow(row) {
  for (const field of row.querySelectorAll("input[name=csrf]")) field.value = token;
  rows.append(row);
}

function updateRow(old, row) {
  const cells = row.querySelectorAll("[data-cell]");
  old.querySelectorAll("[data-cell]").forEach((cell, at) => {
    if (cell.innerHTML !== cells[at].innerHTML) cell.replaceWith(cells[at]);
  });
  const acts = old.querySelector(".acts");
  if (!acts.querySelector("details[open]")) {
    for (const field of row.querySelectorAll("input[name=csrf]")) field.value = token;
    acts.replaceWith(row.querySelector(".acts"));
  }
}

function update(name, text) {
  const old = found(name);
  if (text === null) {
    old?.remove();
  } else if (!name.startsWith("call ")) {
    old.replaceWith(element(text));
  } else if (old) {
    updateRow(old, element(text));
  } else {
    addRow(element(text));
  }
}

function tick() {
  const now = Date.now() / 1000;
  for (const time of rows.querySelectorAll("time[data-since]")) {
    const seconds = Math.max(0, Math.floor(now - Number(time.dataset.since)));
    const text = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    if (time.textContent !== text) time.textContent = text;
  }
}

const events = new EventSource("/now/changes");
events.onopen = () => { document.querySelector("#connection").hidden = true; };
events.onerror = () => { document.querySelector("#connection").hidden = false; };
events.onmessage = (message) => {
  const parts = JSON.parse(message.data);
  for (const [name, text] of Object.entries(parts)) update(name, text);
  document.querySelector("#no-calls").hidden = rows.children.length > 0;
  tick();
};
tick();
setInterval(tick, 1000);
