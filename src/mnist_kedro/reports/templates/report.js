"use strict";

// The page is complete without this script, which filters mistakes and shows digits of the embedding.

const filters = document.querySelector(".filters");
if (filters) {
  const mistakes = [...document.querySelectorAll("#mistake-list .digit")];
  filters.hidden = false;
  filters.addEventListener("change", () => {
    const { label, prediction } = Object.fromEntries(new FormData(filters));
    for (const mistake of mistakes) {
      mistake.hidden = (label && mistake.dataset.label !== label)
        || (prediction && mistake.dataset.prediction !== prediction);
    }
    const shown = mistakes.filter((mistake) => !mistake.hidden).length;
    filters.querySelector("output").value = `${shown} of ${mistakes.length} shown`;
  });
}

const plot = document.getElementById("points");
if (plot) {
  const [points, columns] = JSON.parse(document.getElementById("point-data").textContent);
  const sprite = document.getElementById("sprite");
  const frame = document.getElementById("chosen");
  let chosen = -1;

  const choose = (number) => {
    const [digit, label, prediction, x, y] = points[number];
    chosen = number;
    frame.setAttribute("x", x - 15);
    frame.setAttribute("y", y - 15);
    sprite.setAttribute("x", -28 * (number % columns));
    sprite.setAttribute("y", -28 * Math.floor(number / columns));
    document.getElementById("chosen-text").textContent = `Test digit ${digit}: `
      + (label === prediction ? `${label}, classified correctly` : `${label}, classified as ${prediction}`);
  };

  const nearest = (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(plot.getScreenCTM().inverse());
    const distances = points.map(([, , , x, y]) => Math.hypot(x - at.x, y - at.y));
    return distances.indexOf(Math.min(...distances));
  };

  const mistakes = [...points.keys()].filter((number) => points[number][1] !== points[number][2]);
  const next = document.getElementById("next-mistake");
  next.hidden = mistakes.length === 0;
  next.addEventListener("click", () => choose(mistakes.find((number) => number > chosen) ?? mistakes[0]));
  plot.addEventListener("pointermove", (event) => choose(nearest(event)));
  plot.addEventListener("pointerdown", (event) => choose(nearest(event)));
  document.querySelector(".shown").hidden = false;
  choose(mistakes[0] ?? 0);
}
