"use strict";
// Sorts and filters the tables that the page already holds; what is chosen stands in the address.
(() => {
  const state = () => new URLSearchParams(location.hash.slice(1));
  const keep = (name, value) => {
    const now = state();
    if (value) now.set(name, value); else now.delete(name);
    history.replaceState(null, "", "#" + now.toString());
  };
  const cellValue = (row, index) => {
    const text = row.cells[index].dataset.value;
    return text === undefined || text === "" ? null : row.cells[index].dataset.word === "" ? text : Number(text);
  };
  const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b) : a - b);

  const sort = (table, index, direction) => {
    const rows = [...table.tBodies[0].rows];
    rows.forEach((row, place) => { row.dataset.place ??= place; });
    rows.sort((a, b) => {
      const [x, y] = [cellValue(a, index), cellValue(b, index)];
      if (x === null || y === null) return (x === null) - (y === null) || a.dataset.place - b.dataset.place;
      return (direction === "descending" ? compare(y, x) : compare(x, y)) || a.dataset.place - b.dataset.place;
    });
    table.tBodies[0].append(...rows);
    [...table.tHead.rows[0].cells].forEach((head, i) => {
      if (i === index) head.setAttribute("aria-sort", direction); else head.removeAttribute("aria-sort");
    });
  };

  const filter = () => {
    const words = document.getElementById("text").value.toLowerCase();
    const trust = document.getElementById("trust").value;
    const policy = document.getElementById("policy").value;
    for (const section of document.querySelectorAll("section")) {
      let shown = 0;
      for (const row of section.querySelectorAll("tbody tr")) {
        const fits = row.dataset.text.includes(words) && (!trust || row.dataset.trust === trust) &&
          (!policy || row.dataset.policy === policy);
        row.hidden = !fits;
        shown += fits;
      }
      section.querySelector(".count").textContent = shown + " of " + section.querySelectorAll("tbody tr").length + " rows";
    }
  };

  const restore = () => {
    const now = state();
    for (const name of ["text", "trust", "policy"]) document.getElementById(name).value = now.get(name) ?? "";
    filter();
    const [board, index, direction] = (now.get("sort") ?? "").split(",");
    const table = document.querySelector(`table[data-board="${CSS.escape(board ?? "")}"]`);
    if (table && table.tHead.rows[0].cells[Number(index)]) {
      sort(table, Number(index), direction === "ascending" ? "ascending" : "descending");
    }
  };

  for (const name of ["text", "trust", "policy"]) {
    document.getElementById(name).addEventListener("input", (event) => { keep(name, event.target.value); filter(); });
  }
  for (const button of document.querySelectorAll("th button")) {
    button.addEventListener("click", () => {
      const head = button.parentElement;
      const table = head.closest("table");
      const first = head.dataset.first;
      const other = first === "ascending" ? "descending" : "ascending";
      const direction = head.getAttribute("aria-sort") === first ? other : first;
      sort(table, head.cellIndex, direction);
      keep("sort", [table.dataset.board, head.cellIndex, direction].join(","));
    });
  }
  window.addEventListener("hashchange", restore);
  document.querySelector(".filters").hidden = false;
  restore();
})();
