// The drawing area shows strokes of a pen, or one picture. Coordinates are fractions of its width.

const SENT = 256; // pixels; the side of the picture of a drawing that is sent
const CUT = 192; // pixels; the maximum of the longer side of a digit that is saved
const STEP = 0.02; // fraction of the width by which an arrow key moves the pen

export class Sketch {
  brush = 0.07;
  onchange = () => {};
  #canvas;
  #states = [{ strokes: [], picture: null }]; // for undo; the last state is shown
  #stroke = null; // the stroke that the user is drawing
  #marks = { boxes: [] }; // boxes of the found digits, in pixels of the picture that was sent
  #pen = null; // the pen that the keyboard moves

  constructor(canvas) {
    this.#canvas = canvas;
    new ResizeObserver(() => this.#draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", () => this.#up());
    canvas.addEventListener("pointercancel", () => this.#up());
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("blur", () => {
      this.#pen = null;
      this.#up();
      this.#draw();
    });
  }

  get #state() {
    return this.#states.at(-1);
  }

  get empty() {
    return !this.#state.strokes.length && !this.#state.picture && !this.#stroke;
  }

  get canUndo() {
    return this.#states.length > 1;
  }

  undo() {
    if (this.canUndo) {
      this.#states.pop();
      this.#changed(true);
    }
  }

  clear() {
    if (!this.empty) this.#become({ strokes: [], picture: null }, true);
  }

  // Clears the drawing area and the undo history.
  reset() {
    this.#stroke = null;
    this.#states = [{ strokes: [], picture: null }];
    this.#changed(true);
  }

  // picture: { image, type, body }; type and body are sent to the server.
  show(picture) {
    this.#become({ strokes: [], picture }, true);
  }

  // Marks several digits with boxes, and lays a picture of the found ink over the picture.
  mark({ digits = [], width, height, ink }) {
    const boxes = digits.length > 1 ? digits.map((digit) => digit.box) : [];
    const marks = { boxes, width, height };
    this.#marks = marks;
    if (ink) {
      const image = new Image();
      image.onload = () => {
        marks.ink = image;
        this.#draw();
      };
      image.src = ink;
    }
    this.#draw();
  }

  // Returns the request to send; null if the drawing area is empty.
  async toRequest() {
    if (this.empty) return null;
    const { picture } = this.#state;
    if (picture && !this.#stroke) return { type: picture.type, body: picture.body, ink: picture.type !== "application/json" };
    const canvas = new OffscreenCanvas(SENT, SENT);
    const context = canvas.getContext("2d");
    context.fillStyle = "white";
    context.fillRect(0, 0, SENT, SENT);
    this.#ink(context, SENT, "black");
    return { type: "image/png", body: await canvas.convertToBlob({ type: "image/png" }) };
  }

  // Returns a digit of the drawing as a PNG in base64; box: in pixels of the picture that was sent.
  cutting([left, top, right, bottom], width, height) {
    const { picture } = this.#state;
    const scale = Math.min(1, CUT / Math.max(right - left, bottom - top));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round((right - left) * scale));
    canvas.height = Math.max(1, Math.round((bottom - top) * scale));
    const context = canvas.getContext("2d");
    context.fillStyle = "white";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.scale(scale, scale);
    context.translate(-left, -top);
    if (picture) context.drawImage(picture.image, 0, 0, width, height);
    else this.#ink(context, width, "black");
    return canvas.toDataURL("image/png").split(",")[1];
  }

  #become(state, fresh) {
    this.#states.push(state);
    this.#changed(fresh);
  }

  #changed(fresh) {
    if (fresh) this.#marks = { boxes: [] };
    this.#draw();
    this.onchange({ fresh });
  }

  #place(event) {
    const box = this.#canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  #down(event) {
    if (!event.isPrimary || event.button !== 0) return;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#begin(this.#place(event));
  }

  #move(event) {
    if (!this.#stroke || !event.isPrimary || this.#pen) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length ? events : [event]) this.#stroke.points.push(this.#place(one));
    this.#changed(false);
  }

  #begin(point) {
    this.#stroke = { width: this.brush, points: [point] };
    this.#changed(this.#state.picture !== null);
  }

  #up() {
    if (!this.#stroke) return;
    const strokes = [...(this.#state.picture ? [] : this.#state.strokes), this.#stroke];
    this.#stroke = null;
    this.#become({ strokes, picture: null }, false);
  }

  #key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key === " ") {
      event.preventDefault();
      this.#pen ??= [0.5, 0.3];
      if (this.#stroke) this.#up();
      else this.#begin([...this.#pen]);
    } else if (event.key in moves) {
      event.preventDefault();
      this.#pen ??= [0.5, 0.3];
      const [right, down] = moves[event.key];
      const within = (value) => Math.min(0.98, Math.max(0.02, value));
      this.#pen = [within(this.#pen[0] + STEP * right), within(this.#pen[1] + STEP * down)];
      if (this.#stroke) {
        this.#stroke.points.push([...this.#pen]);
        this.#changed(false);
      } else {
        this.#draw();
      }
    }
  }

  #draw() {
    const canvas = this.#canvas;
    const side = Math.round(canvas.clientWidth * devicePixelRatio);
    if (!side) return;
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const context = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    context.clearRect(0, 0, side, side);
    const { picture } = this.#state;
    if (picture && !this.#stroke) this.#drawPicture(context, side, picture.image);
    else this.#ink(context, side, style.getPropertyValue("--ink"));
    this.#drawMarks(context, side, style.getPropertyValue("--top"));
    if (this.#pen) this.#drawPen(context, side, style.getPropertyValue("--top"));
  }

  #ink(context, side, colour) {
    const strokes = this.#state.picture ? [] : this.#state.strokes;
    context.strokeStyle = context.fillStyle = colour;
    context.lineCap = context.lineJoin = "round";
    for (const { width, points } of this.#stroke ? [...strokes, this.#stroke] : strokes) {
      context.lineWidth = width * side;
      context.beginPath();
      const at = ([x, y]) => [x * side, y * side];
      context.moveTo(...at(points[0]));
      for (let i = 1; i < points.length - 1; i++) {
        const [x, y] = at(points[i]);
        const [nextX, nextY] = at(points[i + 1]);
        context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
      }
      context.lineTo(...at(points.at(-1)));
      context.stroke();
    }
  }

  #frame(side, width, height) {
    const scale = side / Math.max(width, height);
    return [(side - width * scale) / 2, (side - height * scale) / 2, scale];
  }

  #drawPicture(context, side, image) {
    const [left, top, scale] = this.#frame(side, image.width, image.height);
    context.imageSmoothingEnabled = scale < 4; // MNIST's pixels should stay visible
    context.drawImage(image, left, top, image.width * scale, image.height * scale);
  }

  #drawMarks(context, side, colour) {
    const { boxes, width, height, ink } = this.#marks;
    if (!boxes.length && !ink) return;
    const [left, top, scale] = this.#frame(side, width, height);
    if (ink && this.#state.picture) {
      context.drawImage(ink, left, top, width * scale, height * scale);
    }
    context.strokeStyle = colour;
    context.lineWidth = 2 * devicePixelRatio;
    const edge = 4 * devicePixelRatio;
    for (const [x0, y0, x1, y1] of boxes) {
      context.beginPath();
      context.roundRect(
        left + x0 * scale - edge, top + y0 * scale - edge,
        (x1 - x0) * scale + 2 * edge, (y1 - y0) * scale + 2 * edge, 2 * edge,
      );
      context.stroke();
    }
  }

  #drawPen(context, side, colour) {
    const [x, y] = this.#pen;
    context.strokeStyle = colour;
    context.lineWidth = 2 * devicePixelRatio;
    context.beginPath();
    context.arc(x * side, y * side, (this.brush * side) / 2, 0, 2 * Math.PI);
    context.stroke();
  }
}
