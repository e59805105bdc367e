
"use strict";
// Everything here is a convenience: the page says the same without it.
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  if (body.rows.length < 2) continue;
  const key = (row, at) => {
    const cell = row.cells[at];
    if (cell.dataset.rank) return Number(cell.dataset.rank);
    const said = cell.textContent.trim();
    if (!cell.classList.contains("n")) return said.toLowerCase();
    const number = parseFloat(said);
    return Number.isNaN(number) ? -1 : number;
  };
  table.tHead.querySelectorAll("th").forEach((head) => {
    const at = head.cellIndex;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const first = head.classList.contains("n") ? "descending" : "ascending";
      const last = first === "ascending" ? "descending" : "ascending";
      const order = head.getAttribute("aria-sort") === first ? last : first;
      for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const rows = [...body.rows].map((row) => [key(row, at), row]);
      rows.sort(([a], [b]) => sign * (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(b)));
      body.append(...rows.map(([, row]) => row));
    });
  });
  if (body.rows.length > 7) filter(table.parentNode, [...body.rows], "Filter rows");
}
const files = document.querySelector(".files");
if (files && files.children.length > 7) filter(files, [...files.children], "Filter files");

function filter(before, things, label) {
  const input = document.createElement("input");
  input.type = "search";
  input.placeholder = label;
  input.setAttribute("aria-label", label);
  const texts = things.map((thing) => thing.textContent.toLowerCase());
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/);
    things.forEach((thing, at) => (thing.hidden = !words.every((word) => texts[at].includes(word))));
  });
  before.before(input);
}

// A link to a file opens it, and so does printing.
const opened = () => {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (target && target.tagName === "DETAILS") target.open = true;
};
addEventListener("hashchange", opened);
opened();
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => (one.open = true)));
