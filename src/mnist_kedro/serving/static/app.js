// Connect the drawing, the answers of the server, and the view of the answers.

import { Sketch } from "./sketch.js";
import { Reader } from "./reader.js";
import { View } from "./view.js";
import { Teacher } from "./teach.js";
import { examplePicture, filePicture } from "./pictures.js";

const find = (id) => document.getElementById(id);

const view = new View();
const sketch = new Sketch(find("sketch"));
const reader = new Reader(() => sketch.toRequest());

const teacher = new Teacher((...box) => sketch.cutting(...box));
let shown = null; // the latest answer

view.corrected = (digit) => teacher.corrected(digit);
view.onselect = (digit) => teacher.select(digit);
teacher.onclear = () => sketch.reset();
teacher.onchange = ({ again = false } = {}) => {
  if (again) {
    followModel();
    reader.changed({ fresh: false });
  } else if (shown) {
    view.show(shown);
  }
};

reader.onanswer = (answer) => {
  shown = answer;
  teacher.see(answer);
  view.show(answer);
  sketch.mark(answer);
  if (answer.model_version) followModel(answer.model_version);
};
reader.onbusy = (busy) => {
  find("answer").setAttribute("aria-busy", busy);
  teacher.wait(busy);
};
reader.ontrouble = (message) => view.tell(message);

sketch.onchange = ({ fresh }) => {
  find("hint").hidden = !sketch.empty;
  find("undo").disabled = !sketch.canUndo;
  find("clear").disabled = sketch.empty;
  if (fresh) {
    shown = null;
    teacher.see({});
    view.blank();
  }
  reader.changed({ fresh });
};

const brush = find("brush");
const setBrush = () => (sketch.brush = brush.value / 100); // of the paper's width
brush.addEventListener("input", setBrush);
setBrush();

find("undo").addEventListener("click", () => sketch.undo());
find("clear").addEventListener("click", () => sketch.clear());

async function open(file) {
  try {
    sketch.show(await filePicture(file));
  } catch {
    view.tell(`This browser cannot open ${file.name || "this file"} as a picture.`);
  }
}

find("file").addEventListener("change", (event) => {
  const [file] = event.target.files;
  event.target.value = ""; // so that the same file can be opened again
  if (file) open(file);
});

find("open").addEventListener("keydown", (event) => {
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    find("file").click();
  }
});

document.addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files].find((one) => one.type.startsWith("image/"));
  if (file) {
    event.preventDefault();
    open(file);
  }
});

const dropping = (is) => document.body.classList.toggle("dropping", is);
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  dropping(true);
});
document.addEventListener("dragleave", (event) => dropping(event.relatedTarget !== null));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  dropping(false);
  const [file] = event.dataTransfer.files;
  if (file) open(file);
});

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
    event.preventDefault();
    sketch.undo();
  } else if (event.ctrlKey || event.metaKey || event.altKey) {
    return;
  } else if (event.key === "Delete" || event.key === "Backspace") {
    sketch.clear();
  } else if (event.key === "[" || event.key === "]") {
    brush.value = Number(brush.value) + (event.key === "]" ? 1 : -1);
    setBrush();
  }
});

let describedVersion = null;
let describing = false;

// Describes the current model of the server, unless the page already describes this version.
async function followModel(version) {
  if (describing || version === describedVersion) return;
  describing = true;
  try {
    const model = await reader.describeModel();
    describedVersion = model.version;
    view.describe(model);
    const pictures = await Promise.all(model.examples.map(({ pixels }) => examplePicture(pixels)));
    view.offerExamples(
      model.examples.map(({ label }, i) => ({
        label,
        image: pictures[i].image,
        onclick: () => sketch.show(pictures[i]),
      })),
    );
    if (sketch.empty) view.blank(); // instead of the reason why there was no model
  } finally {
    describing = false;
  }
}

sketch.onchange({ fresh: true });
followModel();
teacher.start();
