"use strict";
// Sorts and filters the tables that the page already holds.
(() => {
  const form = document.getElementById("filters");
  const FIRST = 100; // rows of a table
  const CHOICES = ["suite", "trust", "policy", "family", "text"];
  const field = (name) => document.getElementById(name);
  const chosen = (name) => field(name)?.value ?? "";

  const boards = [...document.querySelectorAll("section.board")].map((section) => {
    const table = section.querySelector("table");
    const heads = [...table.tHead.rows[0].cells];
    const rows = [...table.tBodies[0].rows].map((row, place) => ({ row, place, data: row.dataset }));
    const more = document.createElement("button");
    more.type = "button";
    more.className = "more";
    section.append(more);
    const board = { section, table, heads, rows, more, order: rows, values: {}, whole: false };
    return Object.assign(board, { name: table.dataset.board, count: section.querySelector(".count") });
  });

  // The values of one column, read once: a number, a word, or null where there is none.
  const column = (board, index) => board.values[index] ??= board.rows.map(({ row }) => {
    const text = row.cells[index].dataset.v;
    return text === undefined ? null : board.heads[index].classList.contains("word") ? text : Number(text);
  });
  const words = new Intl.Collator("en", { numeric: true });
  const compare = (a, b) => (typeof a === "string" ? words.compare(a, b) : a - b);

  // A long table holds its first rows alone until all are asked for: laying out a thousand is slow.
  const reveal = (board) => {
    const fit = board.order.filter((one) => one.fits);
    const most = board.whole ? fit.length : FIRST;
    board.table.tBodies[0].replaceChildren(...fit.slice(0, most).map(({ row }) => row));
    board.more.hidden = fit.length <= most;
    board.more.textContent = `Show all ${fit.length} rows`;
    const all = board.rows.length;
    board.count.textContent = fit.length === all ? `${all} rows` : `${fit.length} of ${all} rows`;
  };
  const arrange = (board, order) => {
    board.order = order;
    reveal(board);
  };

  const sort = (board, index, direction) => {
    const values = column(board, index);
    const sign = direction === "descending" ? -1 : 1;
    const order = [...board.rows].sort(({ place: a }, { place: b }) => {
      const [x, y] = [values[a], values[b]];
      if (x === null || y === null) return (x === null) - (y === null) || a - b;
      return sign * compare(x, y) || a - b;
    });
    arrange(board, order);
    board.heads.forEach((head, i) => {
      if (i === index) head.setAttribute("aria-sort", direction); else head.removeAttribute("aria-sort");
    });
  };
  const unsort = (board) => {
    arrange(board, board.rows);
    board.heads.forEach((head) => head.removeAttribute("aria-sort"));
  };

  const filter = () => {
    const [suite, trust, policy, family, text] = CHOICES.map(chosen);
    const every = field("all")?.checked ?? true;
    const sought = text.toLowerCase().split(/\s+/).filter(Boolean);
    for (const board of boards) {
      for (const one of board.rows) {
        const { data } = one;
        one.fits = (!trust || data.trust === trust) && (!policy || data.policy === policy) &&
          (!family || data.family === family) && (every || data.variant === undefined) &&
          sought.every((word) => data.text.includes(word));
      }
      reveal(board);
    }
    for (const part of document.querySelectorAll("[data-suite]")) part.hidden = suite !== "" && part.dataset.suite !== suite;
  };

  const restore = () => {
    const state = link.now();
    for (const name of CHOICES) if (field(name)) field(name).value = state.get(name) ?? "";
    if (field("all")) field("all").checked = state.get("all") === "1";
    filter();
    for (const board of boards) {
      const [key, direction] = (state.get("sort." + board.name) ?? "").split(",");
      const index = board.heads.findIndex((head) => head.dataset.key === key && head.querySelector("button"));
      if (index < 0) unsort(board); else sort(board, index, direction === "ascending" ? direction : "descending");
    }
  };

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    const { id, type, checked, value } = event.target;
    link.keep({ [id]: type === "checkbox" ? (checked ? "1" : "") : value });
    filter();
  });
  form.addEventListener("reset", () => setTimeout(() => {
    link.keep(Object.fromEntries([...CHOICES, "all"].map((name) => [name, ""])));
    filter();
  }));
  for (const board of boards) {
    board.more.addEventListener("click", () => { board.whole = true; reveal(board); });
    board.heads.forEach((head, index) => head.querySelector("button")?.addEventListener("click", () => {
      const first = head.dataset.first;
      const other = first === "ascending" ? "descending" : "ascending";
      const direction = head.getAttribute("aria-sort") === first ? other : first;
      sort(board, index, direction);
      link.keep({ ["sort." + board.name]: `${head.dataset.key},${direction}` });
    }));
  }
  window.addEventListener("hashchange", restore);
  form.hidden = false;
  restore();
})();
