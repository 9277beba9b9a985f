"use strict";
for (const box of document.querySelectorAll(".centred"))
  box.scrollLeft = (box.scrollWidth - box.clientWidth) / 2;

const source = document.getElementById("disclosure-data");
if (source) showDisclosure(JSON.parse(source.textContent));

async function showDisclosure({ first, columns, units, data, unreadable, beats, labels }) {
  const box = document.getElementById("rows");
  const rows = [...box.children];
  const perRow = 60 * columns;
  let place = 0;
  const at = beats.map((step) => (place += step));
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const extremes = new Int8Array(await new Response(unpacked).arrayBuffer());

  function draw(row) {
    const canvas = row.querySelector("canvas");
    const begin = rows.indexOf(row) * perRow;
    const ratio = window.devicePixelRatio;
    const { clientWidth: width, clientHeight: height } = canvas;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const pen = canvas.getContext("2d");
    const style = getComputedStyle(document.documentElement);
    const step = width / perRow;
    const level = (value) => height * 0.62 - (value / units) * 14;
    pen.scale(ratio, ratio);
    pen.fillStyle = style.getPropertyValue("--rule");
    for (const [from, to] of unreadable)
      if (from < begin + perRow && to > begin)
        pen.fillRect((Math.max(from, begin) - begin) * step, 0, (Math.min(to, begin + perRow) - Math.max(from, begin)) * step, height);
    pen.strokeStyle = style.getPropertyValue("--trace");
    pen.lineWidth = 0.8;
    pen.beginPath();
    let isDown = false;
    for (let i = 0; i < perRow && begin + i < extremes.length / 2; i++) {
      const low = extremes[2 * (begin + i)], high = extremes[2 * (begin + i) + 1];
      const isKnown = low !== -128;
      if (isKnown) {
        pen[isDown ? "lineTo" : "moveTo"](i * step, level(low));
        pen.lineTo((i + 0.5) * step, level(high));
      }
      isDown = isKnown;
    }
    pen.stroke();
    pen.font = "bold 11px sans-serif";
    pen.textAlign = "center";
    for (let i = indexFrom(begin); i < at.length && at[i] < begin + perRow; i++) {
      if (labels[i] === "N") continue;
      pen.fillStyle = style.getPropertyValue(labels[i] === "S" ? "--s" : "--v");
      pen.fillText(labels[i], (at[i] - begin) * step, 10);
    }
    row.dataset.drawn = "1";
  }

  function indexFrom(column) {
    let low = 0, high = at.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (at[middle] < column) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function show(column) {
    const row = rows[Math.min(Math.max(Math.floor(column / perRow), 0), rows.length - 1)];
    box.querySelector(".here")?.classList.remove("here");
    row.classList.add("here");
    box.scrollTop = row.offsetTop - box.offsetTop - box.clientHeight / 3;
    return row;
  }

  let current = -1;
  function seek(label, direction) {
    let i = current + direction;
    while (i >= 0 && i < labels.length && labels[i] !== label) i += direction;
    const output = document.getElementById("found");
    if (i < 0 || i >= labels.length) return void (output.textContent = `No further ${label}.`);
    current = i;
    const row = show(at[i]);
    const second = Math.floor((at[i] % perRow) / columns);
    output.textContent = `${label}: row ${row.querySelector("time").textContent}, second ${second}`;
  }

  function follow() {
    const time = location.hash.match(/^#t=([\d.]+)$/);
    if (!time) return;
    document.getElementById("disclosure").scrollIntoView();
    show((Number(time[1]) - first) * columns);
  }

  const seen = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) draw(target);
        else if (target.dataset.drawn) target.querySelector("canvas").width = 0;
      }
    },
    { root: box, rootMargin: "300px" },
  );
  rows.forEach((row) => seen.observe(row));
  const redraw = () => rows.filter((row) => row.querySelector("canvas").width > 0).forEach(draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("resize", redraw);
  addEventListener("hashchange", follow);
  addEventListener("keydown", (event) => {
    const label = event.key.toUpperCase();
    if ((label === "V" || label === "S") && !event.ctrlKey && !event.metaKey && !event.altKey)
      seek(label, event.shiftKey ? -1 : 1);
  });
  for (const button of document.querySelectorAll("[data-seek]"))
    button.addEventListener("click", () => seek(button.dataset.seek, 1));
  follow();
  document.documentElement.dataset.disclosure = "ready";
}
