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
