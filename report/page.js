for (const table of document.querySelectorAll("table.sortable")) {
  table.tHead.addEventListener("click", event => {
    const head = event.target.closest("th");
    if (!head) return;
    const down = head.getAttribute("aria-sort") === "ascending", place = head.cellIndex;
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = row => row.cells[place].dataset.key;
    const compare = (a, b) => {
      const [x, y] = [key(a), key(b)];
      if (x === "" || y === "") return (x === "") - (y === "");  // what has no value comes last, either way
      const order = isNaN(x) || isNaN(y) ? x.localeCompare(y) : x - y;
      return down ? -order : order;
    };
    table.tBodies[0].append(...[...table.tBodies[0].rows].sort(compare));
  });
}
const search = document.querySelector("#search"), verdict = document.querySelector("#verdict");
const source = document.querySelector("#source");
const rows = [...document.querySelector("#claims-table").tBodies[0].rows];
function filter() {
  const words = search.value.toLowerCase();
  for (const row of rows)
    row.hidden = (verdict.value && row.dataset.verdict !== verdict.value)
      || (source.value && row.dataset.source !== source.value) || !row.textContent.toLowerCase().includes(words);
  const left = rows.filter(row => !row.hidden).length;
  document.querySelector("#count").textContent = `${left} of ${rows.length} claims`;
}
document.querySelector(".controls").hidden = false;
search.addEventListener("input", filter);
verdict.addEventListener("change", filter);
source.addEventListener("change", filter);
for (const count of document.querySelectorAll(".counts button"))
  count.addEventListener("click", () => {
    verdict.value = count.dataset.verdict;
    source.value = count.dataset.source;
    filter();
    document.querySelector("#every").open = true;
    document.querySelector("#claims").scrollIntoView();
  });
filter();

const large = document.querySelector("#large"), big = large.querySelector("img");
function enlarge(picture) {
  big.src = picture.src;  // the same bytes, which the page holds once
  big.alt = picture.alt;
  large.querySelector("h2").textContent = picture.closest("figure").querySelector("h3").textContent;
  large.showModal();  // Escape closes it, and the focus returns
}
for (const button of document.querySelectorAll("button.zoom")) {
  const picture = button.closest("figure").querySelector("img");
  button.hidden = false;
  button.addEventListener("click", () => enlarge(picture));
  picture.classList.add("zooms");
  picture.addEventListener("click", () => enlarge(picture));
}
large.addEventListener("click", event => { if (event.target === large) large.close(); });

let opened = [];  // what is folded is printed, but for the study's tables and what the table of all claims has
addEventListener("beforeprint", () => {
  const folded = document.querySelectorAll("details:not([open], .more)");
  opened = [...folded].filter(one => !one.closest("#tables"));
  for (const one of opened) one.open = true;
});
addEventListener("afterprint", () => { for (const one of opened) one.open = false; });
