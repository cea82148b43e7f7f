"use strict";

// Tables of the class "sortable": a click on a heading sorts, a second one turns the order round. Cells are compared by
// data-sort, numbers by value; cells without it are undefined and come last either way.
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

function keyOf(row, place) {
  const cell = row.cells[place];
  return cell && cell.hasAttribute("data-sort") ? cell.getAttribute("data-sort") : null;
}

function compare(a, b, numbers) {
  return numbers ? Number(a) - Number(b) : collator.compare(a, b);
}

function sortTable(table, heading) {
  const place = heading.cellIndex;
  const down = heading.getAttribute("aria-sort") === "ascending";
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, (row) => ({ row, key: keyOf(row, place) }));
  const numbers = heading.classList.contains("number");
  rows.sort((a, b) => {
    if (a.key === null || b.key === null) return (a.key === null) - (b.key === null);
    return compare(a.key, b.key, numbers) * (down ? -1 : 1);
  });
  for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  body.append(...rows.map((each) => each.row));
}

for (const table of document.querySelectorAll("table.sortable")) {
  for (const heading of table.tHead.rows[0].cells) {
    const button = heading.querySelector("button");
    if (button) button.addEventListener("click", () => sortTable(table, heading));
  }
}

// Controls with data-filters="ID": the rows of that table that do not hold what is typed or chosen are hidden. With
// data-column only that column is searched, and a choice must equal the cell's data-sort.
function wanted(row, control) {
  const value = control.value.trim();
  if (value === "") return true;
  const column = control.dataset.column;
  if (control.tagName === "SELECT" && column !== undefined) return keyOf(row, Number(column)) === value;
  const cells = column === undefined ? row : row.cells[Number(column)];
  return cells.textContent.toLowerCase().includes(value.toLowerCase());
}

for (const control of document.querySelectorAll("[data-filters]")) {
  control.addEventListener("input", () => {
    const name = control.dataset.filters;
    const table = document.getElementById(name);
    const controls = Array.from(document.querySelectorAll("[data-filters]")).filter((c) => c.dataset.filters === name);
    for (const row of table.querySelectorAll("tbody tr")) row.hidden = !controls.every((each) => wanted(row, each));
  });
}

// The section in sight is marked in the navigation.
const links = new Map(Array.from(document.querySelectorAll("nav.contents a"), (link) => [link.hash.slice(1), link]));
if (links.size && "IntersectionObserver" in window) {
  const seen = new Set();
  const observer = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting) seen.add(entry.target.id);
        else seen.delete(entry.target.id);
      }
      const first = Array.from(links.keys()).find((name) => seen.has(name));
      for (const [name, link] of links) {
        if (name === first) link.setAttribute("aria-current", "true");
        else if (first) link.removeAttribute("aria-current");
      }
    },
    { rootMargin: "-10% 0px -60% 0px" },
  );
  for (const name of links.keys()) {
    const section = document.getElementById(name);
    if (section) observer.observe(section);
  }
}

// Paper cannot be unfolded.
window.addEventListener("beforeprint", () => {
  for (const each of document.querySelectorAll("details")) each.open = true;
});

// The leaderboard: data-narrows="data" and "suite" hide whole parts that bear another data-data or data-suite; in tables
// of systems, "parameters" hides rows with more or an unknown number of them, and "text" rows that do not hold the text.
const narrowing = Array.from(document.querySelectorAll("[data-narrows]"));

function narrow() {
  const chosen = Object.fromEntries(narrowing.map((control) => [control.dataset.narrows, control.value.trim()]));
  for (const part of document.querySelectorAll("[data-data]")) {
    const other = (name) => chosen[name] && part.dataset[name] && part.dataset[name] !== chosen[name];
    part.hidden = Boolean(other("data") || other("suite"));
    for (const table of part.querySelectorAll("table.sortable")) narrowRows(table, chosen);
  }
}

function narrowRows(table, chosen) {
  const headings = Array.from(table.tHead.rows[0].cells, (cell) => cell.textContent.trim());
  const size = headings.indexOf("parameters");
  const named = headings.some((heading) => ["model", "system", "entry", "A"].includes(heading));
  for (const row of table.tBodies[0].rows) {
    const known = size < 0 ? null : keyOf(row, size);
    const large = chosen.parameters && size >= 0 && (known === null || Number(known) > Number(chosen.parameters));
    const without = chosen.text && named && !row.textContent.toLowerCase().includes(chosen.text.toLowerCase());
    row.hidden = Boolean(large || without);
  }
  table.closest("figure").hidden = Array.from(table.tBodies[0].rows).every((row) => row.hidden);
}

for (const control of narrowing) control.addEventListener("input", narrow);
