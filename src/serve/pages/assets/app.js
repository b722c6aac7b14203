// Makes the pages of `stslint serve` better where scripts run; everything works without it.
"use strict";

// A check under way: the server tells how it goes on, and the page is fetched again when there is a result.
const events = document.body.dataset.events;
if (events && "EventSource" in window) {
  const source = new EventSource(events);
  source.addEventListener("stage", (event) => {
    const told = JSON.parse(event.data);
    document.getElementById("stage").textContent = told.text;
    const steps = document.getElementById("steps");
    steps.replaceChildren(...told.steps.map((step) => {
      const item = document.createElement("li");
      item.textContent = step;
      return item;
    }));
  });
  source.addEventListener("end", () => {
    source.close();
    location.reload();
  });
}

// Texts to publish get a button that copies them; of a proposed change, the new lines.
const copied = (place) => place.matches("pre")
  ? place.textContent
  : Array.from(place.querySelectorAll("ins code"), (line) => line.textContent.replace(/\\r$/, "")).join("\n");
const places = [...document.querySelectorAll("pre.copy"), ...document.querySelectorAll("figure:has(ins code)")];
for (const place of navigator.clipboard ? places : []) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  const text = copied(place);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select the text to copy it";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 3000);
  });
  place.append(button);
}

// Times are in UTC; the reader's own time is shown beside them.
for (const time of document.querySelectorAll(".observation time[datetime]")) {
  const at = new Date(time.dateTime);
  if (!Number.isNaN(at.getTime())) time.title = at.toLocaleString();
}
