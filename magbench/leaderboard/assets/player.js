"use strict";
// The truth and up to four models on one clock. Frames are cut from sheets and drawn: each is exact, none is decoded.
(() => {
  const data = window.magbenchClips;
  const player = document.querySelector("#player .player");
  const at = (id) => document.getElementById(id);
  const [chooser, view, tiles, moment, curve, scrubber, play, speed, metric, wipe] =
    ["clip", "view", "tiles", "moment", "curve", "frame", "play", "speed", "metric", "wipe"].map(at);
  const slots = [...player.querySelectorAll("select[data-slot]")];
  const SVG = "http://www.w3.org/2000/svg";
  const GAIN = 2; // doublings of a difference
  const NONE = "-"; // in a link: nothing in this place
  const key = (clip) => `${clip.board}/${clip.clip}`;

  let clip, shown, frame, playing = null;
  const pictures = new Map();
  const picture = (sheet) => {
    if (!pictures.has(sheet.src)) {
      const image = new Image();
      image.addEventListener("load", paint);
      image.src = sheet.src;
      pictures.set(sheet.src, image);
    }
    return pictures.get(sheet.src);
  };

  const element = (tag, text, kind) => {
    const made = document.createElement(tag);
    made.textContent = text;
    if (kind) made.className = kind;
    return made;
  };
  const draw = (tag, attributes) => {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    curve.append(made);
    return made;
  };
  const length = () => clip.truth.frames;
  const far = (i) => clip.gap[i] >= clip.window;

  // Draws frame i of a sheet over the whole canvas; false where its picture is not here yet.
  const cut = (context, sheet, i) => {
    const image = picture(sheet);
    if (!image.complete || !image.naturalWidth) return false;
    const [x, y] = [(i % sheet.columns) * sheet.across, Math.floor(i / sheet.columns) * sheet.down];
    const { width, height } = context.canvas;
    context.drawImage(image, x, y, sheet.width, sheet.height, 0, 0, width, height);
    return true;
  };
  const paintTile = ({ canvas, context, row }) => {
    const { width, height } = canvas;
    context.globalCompositeOperation = "source-over";
    const given = !row || frame < clip.switch;
    const here = given ? cut(context, clip.truth, frame) : cut(context, row.sheet, frame - clip.switch);
    canvas.dataset.frame = here ? frame : "";
    if (given || !here) return;
    if (view.value === "wipe") {
      const edge = Math.round((width * wipe.value) / 100);
      context.save();
      context.beginPath();
      context.rect(0, 0, edge, height);
      context.clip();
      cut(context, clip.truth, frame);
      context.restore();
      context.fillStyle = "#ffffff";
      context.fillRect(edge - 1, 0, 2, height);
    } else if (view.value === "difference") {
      context.globalCompositeOperation = "difference";
      cut(context, clip.truth, frame);
      context.globalCompositeOperation = "lighter";
      for (let i = 0; i < GAIN; i += 1) context.drawImage(canvas, 0, 0);
    }
  };

  const valueAt = (row) => row?.curves[metric.value]?.[frame - clip.switch] ?? null;
  const paint = () => {
    if (!clip) return;
    for (const tile of shown) {
      paintTile(tile);
      const value = valueAt(tile.row);
      tile.note.textContent = frame < clip.switch ? "given" : !tile.row ? "" : value === null ? "made" : String(value);
    }
    scrubber.value = frame;
    curve.querySelector(".cursor")?.setAttribute("transform", `translate(${frame} 0)`);
    const gap = clip.gap[frame];
    const seen = gap < 0 ? "not seen before" : `last seen ${gap} frames ago`;
    const where = frame < clip.switch ? "given to the models" : `made by the models; this view was ${seen}` +
      (gap < 0 ? "" : far(frame) ? ", out of the window" : ", in the window");
    moment.textContent = `Frame ${frame} of ${length() - 1}: ${where}`;
    scrubber.setAttribute("aria-valuetext", moment.textContent);
    moment.classList.toggle("far", frame >= clip.switch && far(frame));
  };

  const makeTile = (row) => {
    const figure = element("figure", "", "tile");
    const canvas = document.createElement("canvas");
    const { width, height } = clip.truth;
    const scale = Math.max(1, Math.ceil(256 / width));
    [canvas.width, canvas.height] = [width * scale, height * scale];
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", row ? row.name : "the truth");
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = scale === 1;
    const caption = element("figcaption", "");
    const note = element("span", "", "note");
    caption.append(element("b", row ? row.name : "truth", row ? data.looks[row.name] : ""), note);
    figure.append(canvas, caption);
    tiles.append(figure);
    return { canvas, context, row, note };
  };

  const drawCurves = () => {
    curve.replaceChildren();
    const total = length();
    curve.setAttribute("viewBox", `0 0 ${total} 100`);
    player.style.setProperty("--frames", total);
    draw("rect", { class: "given", x: 0, y: 0, width: clip.switch, height: 100 });
    for (let i = clip.switch; i < total; i += 1) {
      if (far(i)) draw("rect", { class: "far", x: i, y: 0, width: 1, height: 100, "data-frame": i });
    }
    const rows = shown.map((tile) => tile.row).filter((row) => row?.curves[metric.value]);
    const values = rows.flatMap((row) => row.curves[metric.value]).filter((value) => value !== null);
    const top = Math.max(metric.value.includes("score") ? 1 : 0, ...values) || 1;
    for (const row of rows) {
      const points = row.curves[metric.value]
        .map((value, i) => (value === null ? null : `${clip.switch + i + 0.5},${(98 - (value / top) * 96).toFixed(1)}`))
        .filter((point) => point !== null);
      draw("polyline", { class: `curve ${data.looks[row.name]}`, points: points.join(" ") });
    }
    draw("rect", { class: "cursor", x: 0, y: 0, width: 1, height: 100 });
    const about = data.curves.find(({ key: name }) => name === metric.value);
    at("range").textContent = rows.length ? `${about.name}, 0 to ${Number(top.toFixed(2))}, ${about.better} is better` : "no curve";
    curve.setAttribute("aria-label", `${about.name} of each frame; shaded: out of the window`);
  };

  const remember = () => link.keep({
    clip: key(clip),
    shown: slots.map((slot) => slot.value || NONE),
    frame: String(frame),
    view: view.value === "side" ? "" : view.value,
    wipe: view.value === "wipe" ? wipe.value : "",
    speed: speed.value === "1" ? "" : speed.value,
    curve: metric.selectedIndex ? metric.value : "",
  });
  const show = () => {
    tiles.replaceChildren();
    const rows = slots.map((slot) => clip.shown.find((row) => row.name === slot.value)).filter(Boolean);
    shown = [makeTile(null), ...rows.map(makeTile)];
    wipe.parentElement.hidden = view.value !== "wipe";
    drawCurves();
    paint();
  };
  const fillSlots = (names) => {
    slots.forEach((slot, i) => {
      const options = [new Option("none", "")];
      for (const { name } of clip.shown) options.push(new Option(name, name));
      slot.replaceChildren(...options);
      slot.value = clip.shown.some(({ name }) => name === names[i]) ? names[i] : "";
    });
  };
  const goTo = (next) => {
    frame = Math.min(Math.max(next, 0), length() - 1);
    paint();
  };
  const stop = () => {
    playing = null;
    play.textContent = "Play";
    remember();
  };
  const start = () => {
    const from = { time: null, frame };
    const token = {};
    playing = token;
    play.textContent = "Pause";
    const tick = (now) => {
      if (playing !== token) return;
      from.time ??= now;
      const next = (from.frame + Math.floor(((now - from.time) / 1000) * clip.fps * Number(speed.value))) % length();
      if (next !== frame) goTo(next);
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  };
  const toggle = () => (playing ? stop() : start());
  const step = (by) => {
    if (playing) stop();
    goTo(frame + by);
    remember();
  };
  const again = () => {
    if (playing) start();
    show();
    remember();
  };

  const restore = () => {
    const state = link.now();
    if (clip && !state.has("clip")) return;
    const wanted = state.get("clip");
    clip = data.clips.find((one) => key(one) === wanted) ?? data.clips[0];
    chooser.value = key(clip);
    const asked = state.getAll("shown");
    const models = clip.shown.map(({ name }) => name);
    const others = models.filter((name) => !asked.includes(name));
    fillSlots(asked.length ? asked.concat(asked.length === 1 ? others.slice(0, 2) : []) : others.slice(0, 3));
    view.value = ["wipe", "difference"].includes(state.get("view")) ? state.get("view") : "side";
    wipe.value = state.get("wipe") ?? 50;
    speed.value = state.get("speed") ?? "1";
    if (speed.selectedIndex < 0) speed.value = "1";
    metric.value = state.get("curve") ?? data.curves[0].key;
    if (metric.selectedIndex < 0) metric.selectedIndex = 0;
    scrubber.max = length() - 1;
    const number = Number(state.get("frame") ?? clip.switch);
    frame = Number.isInteger(number) && number >= 0 && number < length() ? number : clip.switch;
    show();
  };

  for (const one of data.clips) {
    const board = data.clips.some(({ board: other }) => other !== one.board) ? `${one.board}: ` : "";
    chooser.append(new Option(`${board}${one.clip}${one.about ? ` (${one.about})` : ""}`, key(one)));
  }
  chooser.addEventListener("change", () => {
    const names = slots.map((slot) => slot.value);
    clip = data.clips.find((one) => key(one) === chooser.value);
    scrubber.max = length() - 1;
    frame = Math.min(frame, length() - 1);
    fillSlots(names);
    again();
  });
  for (const input of [...slots, view, speed, metric]) input.addEventListener("change", again);
  wipe.addEventListener("input", () => { paint(); remember(); });
  scrubber.addEventListener("input", () => { if (playing) stop(); goTo(Number(scrubber.value)); remember(); });
  play.addEventListener("click", toggle);
  at("back").addEventListener("click", () => step(-1));
  at("step").addEventListener("click", () => step(1));
  const drag = (event) => {
    const box = curve.getBoundingClientRect();
    step(Math.floor(((event.clientX - box.left) / box.width) * length()) - frame);
  };
  curve.addEventListener("pointerdown", drag);
  curve.addEventListener("pointermove", (event) => { if (event.buttons) drag(event); });
  tiles.addEventListener("pointermove", (event) => {
    if (view.value !== "wipe" || event.target.tagName !== "CANVAS" || !(event.buttons || event.pointerType === "mouse")) return;
    const box = event.target.getBoundingClientRect();
    wipe.value = Math.round(((event.clientX - box.left) / box.width) * 100);
    paint();
  });
  tiles.addEventListener("pointerleave", () => { if (view.value === "wipe") remember(); });
  player.addEventListener("keydown", (event) => {
    const kind = event.target.tagName;
    const own = kind === "SELECT" || (kind === "BUTTON" && event.key === " ") || (kind === "INPUT" && event.key !== " ");
    if (own || event.ctrlKey || event.altKey || event.metaKey) return;
    const views = { s: "side", w: "wipe", d: "difference" };
    const acts = {
      " ": toggle,
      ArrowLeft: () => step(-1),
      ArrowRight: () => step(1),
      Home: () => step(-frame),
      End: () => step(length()),
    };
    if (views[event.key]) { view.value = views[event.key]; again(); } else if (acts[event.key]) acts[event.key](); else return;
    event.preventDefault();
  });
  window.addEventListener("hashchange", restore);

  player.hidden = false;
  const begin = new IntersectionObserver((seen) => {
    if (!seen.some((one) => one.isIntersecting)) return;
    begin.disconnect();
    restore();
  }, { rootMargin: "400px" });
  begin.observe(player);
  if (!document.querySelector("section.board")) tiles.focus({ preventScroll: true }); // a page of its own: keys work at once
  if (link.now().has("clip")) {
    begin.disconnect();
    restore();
    player.scrollIntoView({ block: "center" });
  }
})();
