// Corrections of digits by the user, and the fine-tuning of the network on them.

import { paint } from "./pictures.js";
import { capitalize } from "./view.js";

const POLL = 1000; // milliseconds between requests for the learning progress
const find = (id) => document.getElementById(id);
const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const keyOf = ({ input }) => input.join();
const name = (label) => label ?? "no digit";

// Decodes 28 × 28 bytes in base64 to rows.
const rowsOf = (pixels) => {
  const bytes = Uint8Array.from(atob(pixels), (letter) => letter.charCodeAt(0));
  return Array.from({ length: 28 }, (_, row) => [...bytes.slice(28 * row, 28 * row + 28)]);
};

// Values are kept in the browser's storage or, if that is blocked, in memory until the page is closed.
const remembered = {};

function recall(storage, key) {
  try {
    return storage().getItem(key) ?? remembered[key] ?? null;
  } catch {
    return remembered[key] ?? null;
  }
}

function remember(storage, key, value) {
  remembered[key] = value;
  try {
    storage().setItem(key, value);
  } catch {
    // blocked by the browser
  }
}

const browser = () => localStorage;
const tab = () => sessionStorage;

// Returns the secret of this browser; without the secret, nobody can list or delete its corrections.
function secret() {
  let known = recall(browser, "writer");
  if (!known) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    known = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    remember(browser, "writer", known);
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
  const answer = await response.json().catch(() => null);
  if (!answer) throw new Error(`The server returned status ${response.status}.`);
  if (!response.ok) throw new Error(`${capitalize(answer.error)}.`);
  return answer;
}

export class Teacher {
  onchange = () => {}; // called when corrections change
  onclear = () => {}; // called when the user should draw the next digit
  #cut; // cuts a digit out of the drawing
  #said = new Map(); // corrections on this page: digit, label, and whether it is saved
  #keeps = false; // whether the server accepts corrections
  #sending = Promise.resolve(); // one correction at a time, so that the latest label is saved
  #idle = Promise.resolve(); // resolves when the answer covers the whole drawing
  #ready = null; // the function that resolves #idle
  #answer = { digits: [] };
  #selected = null;
  #wanted = null; // the digit that the user should write; null: none
  #mine = [];
  #following = false;

  constructor(cut) {
    this.#cut = cut;
    for (let label = 0; label <= 10; label++) this.#offerLabel(label < 10 ? label : null);
    const keep = find("keep");
    keep.checked = recall(tab, "keep") === "yes";
    keep.onchange = () => {
      remember(tab, "keep", keep.checked ? "yes" : "no");
      if (!keep.checked && this.#wanted !== null) this.#end("");
      this.#tell(keep.checked ? "Your corrections are saved from now on." : "New corrections are not saved.");
      this.select(this.#selected);
    };
    find("seen").addEventListener("keydown", (event) => this.#key(event));
    find("labels").addEventListener("keydown", (event) => this.#key(event));
    const actions = {
      agree: () => this.#agree(),
      write: () => this.#begin(),
      next: () => this.#keepWanted(),
      stop: () => this.#end(`Stopped. ${this.#wanted} of 10 digits are saved.`),
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

  // Shows the section about corrections, if the server accepts them.
  async start() {
    let state = null;
    while (!(state = await ask("GET", "/api/teaching").catch(() => null))) await sleep(2 * POLL);
    this.#keeps = state.keeps;
    find("teach").hidden = find("but").hidden = !state.keeps;
    if (!state.keeps) return;
    this.select(this.#selected);
    find("folder").textContent = state.folder;
    await this.#list();
    this.#describe(state);
    if (state.state === "running") this.#follow();
  }

  corrected(digit) {
    return this.#said.get(keyOf(digit))?.label;
  }

  // pending: whether the answer lags behind the drawing.
  wait(pending) {
    if (pending && !this.#ready) {
      this.#idle = new Promise((done) => (this.#ready = done));
    } else if (!pending && this.#ready) {
      this.#ready();
      this.#ready = null;
    }
  }

  see(answer) {
    this.#answer = answer.digits ? answer : { digits: [] };
  }

  select(digit) {
    this.#selected = digit;
    find("correct").hidden = digit === null || this.#wanted !== null || !this.#keeps;
    const said = digit === null ? undefined : this.#said.get(keyOf(digit));
    for (const button of find("labels").children) {
      button.setAttribute("aria-pressed", said !== undefined && button.value === String(said.label));
    }
    const keeps = find("keep").checked;
    find("agree").hidden = !said || said.kept || keeps;
    if (!said) put("said", "");
    else if (said.kept) put("said", "Saved: the network can learn from it.");
    else put("said", keeps ? "Saving …" : "Not saved, so the network cannot learn from it.");
  }

  #offerLabel(label) {
    const button = document.createElement("button");
    button.type = "button";
    button.value = String(label);
    button.textContent = name(label);
    button.onclick = () => this.#correct(label);
    find("labels").append(button);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || this.#wanted !== null) return;
    if (/^[0-9]$/.test(event.key)) this.#correct(Number(event.key));
    else if (event.key === "-") this.#correct(null);
  }

  async #correct(label) {
    await this.#idle; // otherwise the label could belong to a digit that has been erased
    const digit = this.#selected;
    if (!digit || !this.#keeps || this.#wanted !== null) return;
    const { width, height } = this.#answer;
    const cutting = digit.box ? this.#cut(digit.box, width, height) : "";
    this.#said.set(keyOf(digit), { digit, label, cutting, kept: false });
    this.onchange();
    if (find("keep").checked) await this.#keepAll();
  }

  #agree() {
    find("keep").click();
    return this.#keepAll();
  }

  // Sends all corrections that are not saved yet.
  async #keepAll() {
    try {
      for (const said of [...this.#said.values()].filter(({ kept }) => !kept)) {
        await this.#send(said.digit, said.label, said.cutting);
        said.kept = true;
      }
      this.select(this.#selected);
    } catch (error) {
      put("said", error.message);
    }
  }

  #send(digit, label, cutting) {
    const send = async () => {
      if (!find("keep").checked) throw new Error("This correction is not saved.");
      await ask("POST", "/api/corrections", { pixels: digit.input, label, cutting, writer: secret() });
      await this.#list();
      this.#describe(await ask("GET", "/api/teaching"), { quietly: true });
    };
    const sent = this.#sending.then(send);
    this.#sending = sent.catch(() => {});
    return sent;
  }

  // Write ten digits, one after the other.

  #begin() {
    if (!find("keep").checked) find("keep").click();
    this.#want(0);
    find("card").scrollIntoView({ block: "nearest" });
    find("sketch").focus({ preventScroll: true });
  }

  #want(digit) {
    this.#wanted = digit;
    find("card").hidden = digit === null;
    this.select(digit === null ? this.#selected : null);
    if (digit === null) return;
    put("wanted", `Write ${digit === 8 ? "an" : "a"} ${digit} the way you usually do (${digit + 1}\u00a0of\u00a010)`);
    this.onclear();
  }

  async #keepWanted() {
    await this.#idle;
    const wanted = this.#wanted;
    const { digits, width, height } = this.#answer;
    if (wanted === null) return;
    if (digits.length !== 1) {
      put("wanted", `Write a single ${wanted} and nothing else`);
      return;
    }
    find("next").disabled = true;
    try {
      await this.#send(digits[0], wanted, this.#cut(digits[0].box, width, height));
    } catch (error) {
      put("wanted", error.message);
      return;
    } finally {
      find("next").disabled = false;
    }
    if (this.#wanted !== wanted) return; // the user has stopped
    if (wanted < 9) this.#want(wanted + 1);
    else this.#end(`All ten digits are saved. You can write ten more${find("learn").hidden ? "" : ", or click “Learn now”"}.`);
  }

  #end(message) {
    this.#want(null);
    this.onclear();
    this.#tell(message);
    find("write").focus();
  }

  // The saved corrections.

  async #list() {
    if (!recall(browser, "writer")) {
      this.#mine = [];
    } else {
      const answer = await ask("POST", "/api/corrections/mine", { writer: secret() });
      this.#mine = answer.corrections.sort((a, b) => (a.time < b.time ? -1 : 1));
    }
    find("mine").replaceChildren(
      ...this.#mine.map(({ pixels, label, held_out: heldOut }) => {
        if (!heldOut) return picture(rowsOf(pixels), name(label));
        const { before, after } = heldOut;
        const read = before === after ? name(after) : `${name(before)} → ${name(after)}`;
        const right = after === label;
        return picture(rowsOf(pixels), right ? read : `${read}, should be ${name(label)}`, right);
      }),
    );
    find("legend").hidden = !this.#mine.some(({ held_out: heldOut }) => heldOut);
    find("download").disabled = find("forget").disabled = !this.#mine.length;
  }

  async #download() {
    const mine = await ask("POST", "/api/corrections/mine", { writer: secret(), cuttings: true });
    const text = JSON.stringify(mine.corrections, null, 1);
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
    this.#tell(`${forgotten} ${forgotten === 1 ? "correction was" : "corrections were"} deleted.`);
  }

  // Learning.

  async #learn() {
    try {
      this.#describe(await ask("POST", "/api/teaching", {}));
    } finally {
      this.#follow(); // also if another page has started learning
    }
  }

  async #cancel() {
    this.#tell("Canceling …");
    this.#describe(await ask("DELETE", "/api/teaching", {}));
  }

  async #takeBack() {
    this.#describe(await ask("POST", "/api/teaching/rollback", {}));
    this.#tell("The previous network is used again.");
    this.#said.clear();
    this.onchange({ again: true });
  }

  async #follow() {
    if (this.#following) return;
    this.#following = true;
    let ran = false;
    let state;
    for (;;) {
      state = await ask("GET", "/api/teaching").catch(() => null);
      if (!state) this.#tell("The server cannot be reached.");
      else this.#describe(state);
      if (state && state.state !== "running") break;
      ran = true;
      await sleep(POLL);
    }
    this.#following = false;
    if (!ran) return;
    await this.#list().catch(() => {});
    this.#describe(state);
    if (state.state === "idle") this.#tell("Learning ended without a result.");
    this.#said.clear();
    this.onchange({ again: true });
  }

  // quietly: keep the current message.
  #describe(state, { quietly = false } = {}) {
    const { obstacle, done, step, outcome, can_take_back: canTakeBack } = state;
    const running = state.state === "running";
    const few = state.corrections < state.needed;
    find("learning").hidden = !running;
    find("progress").value = done;
    find("learn").hidden = obstacle !== null;
    find("learn").disabled = running || few;
    find("forget").disabled = running || !this.#mine.length;
    find("back").hidden = running || !canTakeBack;
    const told = {
      running: `${step} …`,
      failed: `Learning failed: ${step}`,
      cancelled: "Canceled. The network has not changed.",
    }[state.state];
    if (told) this.#tell(told);
    else if (obstacle) this.#tell(`Learning is not available: ${obstacle}.`);
    else if (few) this.#tell(`The network can learn from ${state.needed} corrections or more. So far: ${state.corrections}.`);
    else if (!quietly) this.#tell("");
    const ended = ["failed", "cancelled"].includes(state.state);
    const taught = running || ended || !outcome?.teaching ? null : outcome;
    find("outcome").hidden = !taught;
    if (taught) this.#showOutcome(taught);
  }

  #showOutcome({ promoted, served, reason, teaching }) {
    const { held_out: heldOut, worse } = teaching;
    const [before, after] = [teaching.test_accuracy_before, teaching.test_accuracy].map(
      (share) => `${(100 * share).toFixed(2)}%`,
    );
    const verdict = served
      ? "The network has learned and is used now."
      : promoted
        ? "The network has learned, but another one is used now."
        : "The new network was rejected.";
    put(
      "result",
      `${verdict} Corrections read correctly: ${heldOut.right_before} of ${heldOut.count} before learning, ` +
        `${heldOut.right_after} after (each read by a network that did not learn from it). ` +
        `Test accuracy: ${before} before, ${after} after.`,
    );
    put("reason", promoted ? "" : `Reason: ${reason}.`);
    find("losses").hidden = promoted || !worse.length;
    find("worse").replaceChildren(
      ...worse.map((one) => picture(rowsOf(one.pixels), `${one.label} → ${one.after}`, false)),
    );
  }

  #tell(message) {
    put("told", message);
  }
}

// Leaves equal text untouched, so that screen readers do not repeat it.
function put(id, text) {
  if (find(id).textContent !== text) find(id).textContent = text;
}

function picture(rows, text, right) {
  const figure = document.createElement("figure");
  const canvas = document.createElement("canvas");
  const caption = document.createElement("figcaption");
  paint(canvas, rows);
  caption.textContent = text;
  canvas.setAttribute("aria-hidden", "true");
  if (right !== undefined) figure.classList.add(right ? "right" : "wrong");
  figure.append(canvas, caption);
  return figure;
}
