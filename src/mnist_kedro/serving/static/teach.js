// Corrections: what a person says that digits are, and the network's teaching.

import { paint } from "./pictures.js";

const POLL = 1000; // milliseconds between questions how far a teaching is
const find = (id) => document.getElementById(id);
const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const keyOf = ({ input }) => input.join();
const name = (label) => label ?? "no digit";

// Bytes in base64, row by row.
const rowsOf = (pixels) => {
  const bytes = Uint8Array.from(atob(pixels), (letter) => letter.charCodeAt(0));
  return Array.from({ length: 28 }, (_, row) => [...bytes.slice(28 * row, 28 * row + 28)]);
};

// Known to this browser alone; without it nobody can see or remove what it sent.
function secret() {
  let known = localStorage.getItem("writer");
  if (!known) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    known = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    localStorage.setItem("writer", known);
  }
  return known;
}

async function ask(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      ...(body && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
    });
  } catch {
    throw new Error("The server cannot be reached.");
  }
  const answer = await response.json();
  if (!response.ok) throw new Error(`${answer.error}.`);
  return answer;
}

export class Teacher {
  onchange = () => {}; // what a person says of the digits that are shown
  onclear = () => {}; // the next digit of a card is to be written
  #cut; // cuts a digit out of the drawing
  #said = new Map(); // labels of the digits that were corrected on this page
  #answer = { digits: [] };
  #selected = null;
  #wanted = null; // the digit of the card that is to be written
  #mine = [];
  #following = false;

  constructor(cut) {
    this.#cut = cut;
    for (let label = 0; label <= 10; label++) this.#offerLabel(label < 10 ? label : null);
    const keep = find("keep");
    keep.checked = sessionStorage.getItem("keep") === "yes";
    keep.onchange = () => {
      sessionStorage.setItem("keep", keep.checked ? "yes" : "no");
      find("agree").hidden = true;
      this.#tell(keep.checked ? "What you correct from now on is kept." : "Nothing more is kept.");
    };
    find("seen").addEventListener("keydown", (event) => this.#key(event));
    find("labels").addEventListener("keydown", (event) => this.#key(event));
    const actions = {
      agree: () => {
        find("keep").click();
        return this.#correct(this.#selected, this.corrected(this.#selected));
      },
      write: () => this.#begin(),
      next: () => this.#keepWanted(),
      stop: () => this.#end("The card was put aside."),
      learn: () => this.#learn(),
      cancel: () => this.#cancel(),
      back: () => this.#takeBack(),
      download: () => this.#download(),
      forget: () => this.#forget(),
    };
    for (const [id, act] of Object.entries(actions)) {
      find(id).onclick = () => act()?.catch?.((error) => this.#tell(error.message));
    }
  }

  // Shows what the server offers, if it keeps corrections at all.
  async start() {
    const state = await ask("GET", "/api/teaching").catch(() => ({ keeps: false }));
    find("teach").hidden = find("but").hidden = !state.keeps;
    if (!state.keeps) return;
    find("folder").textContent = state.folder;
    await this.#list();
    this.#describe(state);
    if (state.state === "running") this.#follow();
  }

  corrected(digit) {
    return this.#said.get(keyOf(digit));
  }

  see(answer) {
    this.#answer = answer.digits ? answer : { digits: [] };
  }

  select(digit) {
    this.#selected = digit;
    find("correct").hidden = digit === null || this.#wanted !== null;
    const said = digit === null ? undefined : this.corrected(digit);
    if (said === undefined) {
      find("said").textContent = "";
      find("agree").hidden = true;
    }
    for (const button of find("labels").children) {
      button.setAttribute("aria-pressed", said !== undefined && button.value === String(said));
    }
  }

  #offerLabel(label) {
    const button = document.createElement("button");
    button.type = "button";
    button.value = String(label);
    button.textContent = name(label);
    button.onclick = () => this.#correct(this.#selected, label);
    find("labels").append(button);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.#selected) return;
    if (/^[0-9]$/.test(event.key)) this.#correct(this.#selected, Number(event.key));
    else if (event.key === "-") this.#correct(this.#selected, null);
  }

  async #correct(digit, label) {
    if (!digit) return;
    this.#said.set(keyOf(digit), label);
    this.onchange();
    if (find("teach").hidden) return;
    const keeps = find("keep").checked;
    find("agree").hidden = keeps;
    find("said").textContent = keeps ? "" : "Not kept, so nothing is learned from it.";
    if (!keeps) return;
    try {
      await this.#send(digit, label);
      find("said").textContent = "Kept: the network can learn it.";
    } catch (error) {
      find("said").textContent = error.message;
    }
  }

  async #send(digit, label) {
    const { width, height } = this.#answer;
    const cutting = digit.box ? this.#cut(digit.box, width, height) : "";
    await ask("POST", "/api/corrections", { pixels: digit.input, label, cutting, writer: secret() });
    await this.#list();
  }

  // The card: one digit after the other.

  #begin() {
    if (!find("keep").checked) find("keep").click();
    this.#want(0);
    find("sketch").scrollIntoView({ block: "center" });
    find("sketch").focus({ preventScroll: true });
  }

  #want(digit) {
    this.#wanted = digit;
    find("card").hidden = digit === null;
    this.select(digit === null ? this.#selected : null);
    if (digit === null) return;
    find("wanted").textContent = `Write a ${digit}, as you do (${digit + 1} of 10)`;
    this.onclear();
  }

  async #keepWanted() {
    const { digits } = this.#answer;
    if (digits.length !== 1) {
      find("wanted").textContent = `Write one ${this.#wanted}, alone`;
      return;
    }
    const digit = this.#wanted;
    await this.#send(digits[0], digit);
    if (digit < 9) this.#want(digit + 1);
    else this.#end("The card is kept. You can write another one, or let the network learn now.");
  }

  #end(message) {
    this.#want(null);
    this.onclear();
    this.#tell(message);
    find("teach").scrollIntoView({ block: "nearest" });
  }

  // What is kept.

  async #list() {
    if (!localStorage.getItem("writer")) {
      this.#mine = [];
    } else {
      const answer = await ask("POST", "/api/corrections/mine", { writer: secret() });
      this.#mine = answer.corrections.sort((a, b) => (a.time < b.time ? -1 : 1));
    }
    find("mine").replaceChildren(
      ...this.#mine.map(({ pixels, label, held_out: heldOut }) => {
        if (!heldOut) return picture(rowsOf(pixels), name(label));
        const { before, after } = heldOut;
        const text = before === after ? name(after) : `${name(before)} → ${name(after)}`;
        return picture(rowsOf(pixels), text, after === label);
      }),
    );
    find("legend").hidden = !this.#mine.some(({ held_out: heldOut }) => heldOut);
    find("download").disabled = find("forget").disabled = !this.#mine.length;
  }

  async #download() {
    await this.#list();
    const text = JSON.stringify(this.#mine, null, 1);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = "corrections.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  async #forget() {
    const { forgotten } = await ask("DELETE", "/api/corrections", { writer: secret() });
    this.#said.clear();
    this.onchange();
    if (find("keep").checked) find("keep").click();
    await this.#list();
    this.#describe(await ask("GET", "/api/teaching"));
    this.#tell(
      `${forgotten} ${forgotten === 1 ? "correction is" : "corrections are"} forgotten. ` +
        "What a network learned from them stays until it is taken back.",
    );
  }

  // The teaching.

  async #learn() {
    this.#describe(await ask("POST", "/api/teaching", {}));
    this.#follow();
  }

  async #cancel() {
    this.#tell("Cancelling …");
    this.#describe(await ask("DELETE", "/api/teaching", {}));
  }

  async #takeBack() {
    this.#describe(await ask("POST", "/api/teaching/rollback", {}));
    this.#tell("Taken back: the network reads as it did before.");
    this.#said.clear();
    this.onchange({ again: true });
  }

  async #follow() {
    if (this.#following) return;
    this.#following = true;
    try {
      for (;;) {
        const state = await ask("GET", "/api/teaching").catch(() => null);
        if (state) this.#describe(state);
        if (state && state.state !== "running") break;
        await sleep(POLL);
      }
      await this.#list();
      this.#describe(await ask("GET", "/api/teaching"));
      this.#said.clear();
      this.onchange({ again: true });
    } finally {
      this.#following = false;
    }
  }

  #describe({ obstacle, state, done, step, outcome, can_take_back: canTakeBack }) {
    const running = state === "running";
    find("learning").hidden = !running;
    find("progress").value = done;
    find("learn").disabled = running || obstacle !== null;
    find("learn").hidden = obstacle !== null;
    find("back").hidden = !canTakeBack;
    if (running) this.#tell(`${step} …`);
    else if (state === "failed") this.#tell(`The network could not be taught: ${step}`);
    else if (state === "cancelled") this.#tell("Cancelled; the network is as it was.");
    else if (obstacle) this.#tell(`The network cannot learn here: ${obstacle}.`);
    else this.#tell("");
    const taught = !running && outcome?.teaching ? outcome : null;
    find("outcome").hidden = !taught || state === "failed" || state === "cancelled";
    if (taught) this.#showOutcome(taught, canTakeBack);
  }

  #showOutcome({ promoted, reason, teaching }, served) {
    const { held_out: heldOut, worse } = teaching;
    const accuracies = [teaching.test_accuracy_before, teaching.test_accuracy];
    const [before, after] = accuracies.map((share) => `${(100 * share).toFixed(2)}%`);
    const counts =
      `of ${heldOut.count} corrections ${heldOut.right_before} were read right before, and ` +
      `${heldOut.right_after} after it was taught the others`;
    const kind = promoted ? (served ? "It has learned" : "It had learned, and was taken back") : "It is not used";
    find("result").textContent =
      `${kind}: ${counts}. Of ${teaching.test_digits.toLocaleString("en")} test digits: ${before} before, ${after} after.`;
    find("reason").textContent = promoted ? "" : `Why: ${reason}.`;
    find("losses").hidden = promoted || !worse.length;
    find("worse").replaceChildren(
      ...worse.map((one) => picture(rowsOf(one.pixels), `${one.label} → ${one.after}`, false)),
    );
  }

  #tell(message) {
    find("told").textContent = message;
  }
}

function picture(rows, text, right) {
  const figure = document.createElement("figure");
  const canvas = document.createElement("canvas");
  const caption = document.createElement("figcaption");
  paint(canvas, rows);
  caption.textContent = text;
  if (right !== undefined) figure.classList.add(right ? "right" : "wrong");
  figure.append(canvas, caption);
  return figure;
}
