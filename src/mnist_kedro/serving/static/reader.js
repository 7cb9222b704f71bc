// Sends drawings to the server: one request at a time, always the newest drawing. Drops stale answers.

const PAUSE = 60; // milliseconds; the minimum between two requests
const AGAIN = 2000; // milliseconds until the next attempt if the server could not be reached

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

export class Reader {
  onanswer = () => {};
  ontrouble = () => {};
  onbusy = () => {};
  #take;
  #revision = 0; // of the drawing
  #since = 0; // answers to older revisions belong to an earlier drawing
  #asking = false;

  constructor(take) {
    this.#take = take;
  }

  // fresh: whether the drawing is a new one, not the same one with more strokes.
  changed({ fresh }) {
    this.#revision += 1;
    if (fresh) this.#since = this.#revision;
    this.#ask();
  }

  async describeModel() {
    for (;;) {
      try {
        const response = await fetch("/api/model");
        const answer = await response.json();
        if (response.ok) return answer;
        this.ontrouble(answer.error);
      } catch {
        this.ontrouble("The server cannot be reached.");
      }
      await pause(AGAIN);
    }
  }

  async #ask() {
    if (this.#asking) return;
    this.#asking = true;
    this.onbusy(true);
    for (let asked = -1; asked !== this.#revision; ) {
      asked = this.#revision;
      const request = await this.#take();
      if (!request) continue;
      const answer = await this.#send(request);
      if (asked >= this.#since) {
        if (answer.retry) {
          this.ontrouble(answer.error);
          await pause(answer.retry);
          asked = -1;
          continue;
        }
        this.onanswer(answer);
      }
      await pause(PAUSE);
    }
    this.#asking = false;
    this.onbusy(false);
  }

  async #send({ type, body, ink }) {
    try {
      const response = await fetch(ink ? "/api/read?ink=true" : "/api/read", {
        method: "POST",
        headers: { "Content-Type": type },
        body,
      });
      if (response.status === 503 || response.status === 429) {
        const { error } = await response.json().catch(() => ({ error: "Too many requests" }));
        return { error, retry: 1000 * Number(response.headers.get("Retry-After") ?? 1) };
      }
      return await response.json();
    } catch {
      return { error: "The server cannot be reached; trying again.", retry: AGAIN };
    }
  }
}
