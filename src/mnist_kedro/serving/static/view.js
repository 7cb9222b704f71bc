// Show an answer of the server, and announce it to screen readers.

import { paint } from "./pictures.js";

const ANNOUNCED_AFTER = 700; // milliseconds without a new answer, before screen readers announce it
const find = (id) => document.getElementById(id);
const percent = (share) =>
  share > 0.9995 ? ">\u00a099.9%" : `${(100 * share).toFixed(1)}%`; // a no-break space keeps it on one line

const named = (digit) => `${digit === 8 ? "an" : "a"} ${digit}`;
const list = (digits) => [digits.slice(0, -1).join(", "), digits.at(-1)].filter((part) => part !== "").join(" and ");

// Turns a message of the server into a sentence.
export const capitalize = (message) => message.charAt(0).toUpperCase() + message.slice(1);

// Describes the training data of a model; older exports lack the description.
function trainingData({ data, training_digits: count }) {
  const number = count?.toLocaleString("en");
  if (data?.canonical_mnist) return count ? `${number} MNIST digits` : "MNIST";
  const parts = { sample: "a small sample of MNIST", download: "a part of MNIST" };
  const source = parts[data?.source] ?? data?.source;
  if (!source) return count ? `${number} digits of unknown origin` : "unknown data";
  return count ? `${number} digits from ${source}` : source;
}

export class View {
  corrected = () => undefined; // the user's label of a digit: 0–9, or null for no digit
  onselect = () => {}; // called when the selection changes
  #bars = [];
  #timer = 0;
  #selected = null; // index of the digit that the user selected; null: the first unsure one is shown

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
    this.#nothing("Draw a digit, or open a picture of digits.");
  }

  // Show a message; keep the previous answer.
  tell(message) {
    const sentence = capitalize(message);
    find("verdict").textContent = sentence;
    this.#say(sentence);
  }

  show(answer) {
    if (answer.error) {
      this.#nothing(`The picture cannot be read: ${answer.error}.`);
      return;
    }
    const { digits } = answer;
    if (!digits.length) {
      this.#nothing("No digit found yet.");
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
      if (said !== undefined) return `Corrected to ${said ?? "“no digit”"}`;
      const [{ digit, confidence, sure, candidates, is_digit }] = digits;
      if (is_digit === false) return `Probably not a digit; it looks most like ${named(digit)}`;
      if (sure) return `${percent(confidence)} sure`;
      const others = candidates.filter((candidate) => candidate !== digit);
      return `Not sure: ${digit} (${percent(confidence)})${others.map((other) => ` or ${other}`).join("")}`;
    }
    if (!unsure.length) return `${digits.length} digits, sure about all of them`;
    const strange = unsure.filter(({ is_digit }) => is_digit === false).length;
    const doubtful = unsure.filter(({ is_digit }) => is_digit !== false).map(({ digit }) => digit);
    const count = `${digits.length} digits`;
    if (!doubtful.length) {
      return `${count}, but ${strange === 1 ? "one of them may not be a digit" : `${strange} of them may not be digits`}`;
    }
    const told = `${count}, not sure about\u00a0${list([...new Set(doubtful)])}`;
    if (!strange) return told;
    return `${told}; ${strange === 1 ? "another one may not be a digit" : `${strange} others may not be digits`}`;
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
      const doubt = strange ? ", probably not a digit" : "";
      const said = this.corrected(digit);
      button.classList.toggle("corrected", said !== undefined);
      button.dataset.label = said === undefined ? "" : said ?? "×";
      const correction = said === undefined ? "" : `, corrected to ${said ?? "no digit"}`;
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
    this.#timer = setTimeout(() => (find("live").textContent = message), ANNOUNCED_AFTER);
  }

  describe(model) {
    const [low, high] = model.accuracy_ci95.map((share) => (100 * share).toFixed(2));
    const taught = model.taught_corrections ? ` and ${model.taught_corrections} corrections` : "";
    const name = model.name === "cnn" ? "CNN" : model.name;
    find("model").textContent =
      `${name}, trained on ${trainingData(model)}${taught}, reads ${(100 * model.accuracy).toFixed(2)}% ` +
      `of ${model.test_digits.toLocaleString("en")} test digits correctly`;
    find("version").textContent = `${model.name} ${model.version}`;
    find("interval").textContent = `${low}% to ${high}%`;
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
