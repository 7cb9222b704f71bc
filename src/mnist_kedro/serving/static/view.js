// What is shown and said of an answer.

import { paint } from "./pictures.js";

const SAID_AFTER = 700; // milliseconds without another answer, for those who listen
const find = (id) => document.getElementById(id);
const percent = (share) =>
  share > 0.9995 ? ">\u00a099.9%" : `${(100 * share).toFixed(1)}%`; // on one line

const named = (digit) => `${digit === 8 ? "an" : "a"} ${digit}`;

// Says what a model was trained on; older exports do not describe it.
function trainingData({ data, training_digits: count }) {
  const number = count?.toLocaleString("en");
  if (data?.canonical_mnist) return count ? `${number} MNIST digits` : "MNIST";
  const parts = { sample: "a small sample of MNIST", download: "a part of MNIST" };
  const source = parts[data?.source] ?? data?.source ?? "unknown data";
  return count ? `${number} digits of ${source}` : source;
}

export class View {
  corrected = () => undefined; // what a person says that a digit is: 0–9, null for no digit
  onselect = () => {}; // another digit is selected, or none
  #bars = [];
  #timer = 0;
  #selected = null; // of several digits; else the first that is not sure

  constructor() {
    for (let digit = 0; digit < 10; digit++) {
      const row = document.createElement("li");
      const [name, track, fill, share] = ["span", "span", "span", "span"].map((tag) =>
        document.createElement(tag),
      );
      name.textContent = digit;
      track.className = "track";
      fill.className = "fill";
      fill.style.display = "block";
      share.className = "share";
      track.append(fill);
      row.append(name, track, share);
      find("bars").append(row);
      this.#bars.push({ row, fill, share });
    }
    this.blank();
  }

  blank() {
    this.#selected = null;
    this.#nothing("Draw a digit, or open a picture of one.");
  }

  // A line instead of an answer; what was shown before stays.
  tell(message) {
    find("verdict").textContent = message;
    this.#say(message);
  }

  show(answer) {
    if (answer.error) {
      this.#nothing(`Cannot be read: ${answer.error}.`);
      return;
    }
    const { digits } = answer;
    if (!digits.length) {
      this.#nothing("Nothing that could be a digit yet.");
      return;
    }
    const unsure = digits.filter((digit) => !digit.sure && this.corrected(digit) === undefined);
    const told = this.#verdict(digits, unsure);
    const text = digits.map((digit) => this.#reading(digit)).join("");
    this.#headline(text, told, { unsure: unsure.length > 0 });
    this.#say(`${[...text].join(" ")}. ${told}`);
    this.#offer(digits);
    find("time").textContent = `read in ${Math.max(1, Math.round(answer.milliseconds))}\u00a0ms`;
  }

  #reading(digit) {
    const said = this.corrected(digit);
    if (said !== undefined) return said ?? "?";
    return digit.is_digit === false ? "?" : digit.digit;
  }

  #nothing(told) {
    this.#headline("–", told, { empty: true });
    this.#show(null);
    this.onselect(null);
    find("seen").hidden = true;
    this.#say(told);
  }

  #verdict(digits, unsure) {
    if (digits.length === 1) {
      const said = this.corrected(digits[0]);
      if (said !== undefined) return `You say: ${said === null ? "no digit" : named(said)}`;
      const [{ digit, confidence, sure, candidates, is_digit }] = digits;
      if (is_digit === false) return `No digit, it seems; most like ${named(digit)}`;
      if (sure) return `${percent(confidence)} sure`;
      const others = candidates.filter((candidate) => candidate !== digit);
      return `Not sure: ${percent(confidence)}${others.length ? `, or ${others.map(named).join(" or ")}` : ""}`;
    }
    if (!unsure.length) return `${digits.length} digits, sure of each`;
    const strange = unsure.filter(({ is_digit }) => is_digit === false).length;
    const doubtful = unsure.filter(({ is_digit }) => is_digit !== false).map(({ digit }) => digit);
    const told = [];
    if (doubtful.length) told.push(`not sure of\u00a0${[...new Set(doubtful)].join(", ")}`);
    if (strange) told.push(`${strange === 1 ? "one" : strange} of them may be no digit`);
    return `${digits.length} digits, ${told.join("; ")}`;
  }

  #headline(text, told, { empty = false, unsure = false }) {
    const shown = find("text");
    shown.textContent = text;
    shown.style.setProperty("--characters", text.length); // so that they fit on one line
    shown.classList.toggle("empty", empty);
    shown.classList.toggle("unsure", unsure);
    find("verdict").textContent = told;
    find("verdict").classList.toggle("unsure", unsure);
  }

  #offer(digits) {
    const group = find("digits");
    while (group.children.length > digits.length) group.lastChild.remove();
    while (group.children.length < digits.length) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(document.createElement("canvas"));
      group.append(button);
    }
    group.classList.toggle("many", digits.length > 4);
    group.classList.toggle("one", digits.length === 1);
    digits.forEach((digit, i) => {
      const button = group.children[i];
      paint(button.firstChild, digit.input);
      const strange = digit.is_digit === false;
      button.classList.toggle("strange", strange);
      const doubt = strange ? ", no digit, it seems" : "";
      const said = this.corrected(digit);
      button.classList.toggle("corrected", said !== undefined);
      button.dataset.label = said === undefined ? "" : said ?? "×";
      const correction = said === undefined ? "" : `, corrected: ${said ?? "no digit"}`;
      button.setAttribute("aria-label", `${digit.digit}, ${percent(digit.confidence)}${doubt}${correction}`);
      button.onclick = () => {
        this.#selected = i;
        this.#press(digits);
      };
    });
    find("seen").hidden = false;
    this.#press(digits);
  }

  #press(digits) {
    const unsure = digits.findIndex((digit) => !digit.sure);
    const selected = Math.min(this.#selected ?? Math.max(unsure, 0), digits.length - 1);
    [...find("digits").children].forEach((button, i) => {
      if (digits.length > 1) button.setAttribute("aria-pressed", i === selected);
      else button.removeAttribute("aria-pressed");
    });
    this.#show(digits[selected]);
    this.onselect(digits[selected]);
  }

  #show(digit) {
    this.#bars.forEach(({ row, fill, share }, i) => {
      const probability = digit ? digit.probabilities[i] : 0;
      fill.style.transform = `scaleX(${probability})`;
      share.textContent = digit ? percent(probability) : "";
      row.classList.toggle("first", digit?.digit === i);
    });
  }

  #say(message) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (find("live").textContent = message), SAID_AFTER);
  }

  describe(model) {
    const [low, high] = model.accuracy_ci95.map((share) => (100 * share).toFixed(2));
    const taught = model.taught_corrections ? ` and ${model.taught_corrections} corrections` : "";
    const name = model.name === "cnn" ? "CNN" : model.name;
    find("model").textContent =
      `${name}, trained on ${trainingData(model)}${taught}, reads ${(100 * model.accuracy).toFixed(2)}% ` +
      `of ${model.test_digits.toLocaleString("en")} test digits right`;
    find("version").textContent = `${model.name} ${model.version}`;
    find("interval").textContent = `from ${low}% to ${high}%`;
    find("details").hidden = false;
  }

  offerExamples(examples) {
    const buttons = examples.map(({ label, image, onclick }) => {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-label", `a test digit, labeled ${label}`);
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = 28;
      canvas.getContext("2d").drawImage(image, 0, 0);
      button.append(canvas);
      button.onclick = onclick;
      return button;
    });
    find("examples").replaceChildren(...buttons);
  }
}
