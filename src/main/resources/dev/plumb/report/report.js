"use strict";
// Shows exact values under the pointer or with the arrow keys, read from the page's tables. The page is complete without this script.
(() => {
  const rowsOf = id => {
    const table = document.getElementById(id);
    return table === null ? [] : Array.from(table.tBodies[0].rows, row => Array.from(row.cells, cell => cell.textContent));
  };
  const headsOf = id => Array.from(document.getElementById(id).tHead.rows[0].cells, cell => cell.textContent);
  const number = (svg, name) => Number(svg.dataset[name]);
  const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

  // The pointer's position in the drawing's units.
  const place = (svg, event) => {
    const box = svg.getBoundingClientRect();
    const unit = svg.viewBox.baseVal.width / box.width;
    return { x: (event.clientX - box.left) * unit, y: (event.clientY - box.top) * unit };
  };

  const listen = (svg, cursor, count, pick, show, down) => {
    const readout = document.getElementById(svg.id + "-readout");
    const first = readout.textContent;
    let at = null;
    const go = to => {
      at = to;
      readout.textContent = show(to);
      cursor.setAttribute("visibility", "visible");
    };
    const leave = () => {
      at = null;
      readout.textContent = first;
      cursor.setAttribute("visibility", "hidden");
    };
    svg.addEventListener("pointermove", event => go(pick(place(svg, event))));
    svg.addEventListener("pointerdown", event => go(pick(place(svg, event))));
    svg.addEventListener("pointerleave", leave);
    svg.addEventListener("blur", leave);
    svg.addEventListener("keydown", event => {
      const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1], Home: [-Infinity, 0], End: [Infinity, 0] };
      const step = steps[event.key];
      if (step === undefined || (step[1] !== 0 ? down === 0 : false)) {
        return;
      }
      event.preventDefault();
      const from = at === null ? [count - 1, 0] : at;
      go([clamp(from[0] + step[0], 0, count - 1), clamp(from[1] + step[1], 0, Math.max(0, down - 1))]);
    });
  };

  for (const svg of document.querySelectorAll("svg.lines")) {
    const rows = rowsOf(svg.dataset.table);
    if (rows.length === 0) {
      continue;
    }
    const heads = headsOf(svg.dataset.table);
    const columns = svg.dataset.columns.split(" ").map(Number);
    const values = rows.map(row => Number(row[0]));
    const first = number(svg, "first");
    const last = number(svg, "last");
    const left = number(svg, "left");
    const width = number(svg, "right") - left;
    const xOf = value => first === last ? left + width / 2 : left + (value - first) / (last - first) * width;
    const cursor = svg.querySelector("line.cursor");
    const nearest = point => {
      let best = 0;
      for (let i = 1; i !== values.length; i++) {
        if (Math.abs(xOf(values[best]) - point.x) > Math.abs(xOf(values[i]) - point.x)) {
          best = i;
        }
      }
      return [best, 0];
    };
    const show = ([row]) => {
      cursor.setAttribute("x1", xOf(values[row]));
      cursor.setAttribute("x2", xOf(values[row]));
      return heads[0] + " " + rows[row][0] + ": " + columns.filter(column => rows[row][column] !== "")
          .map(column => heads[column] + " = " + rows[row][column]).join(" · ");
    };
    listen(svg, cursor, rows.length, nearest, show, 0);
  }

  for (const svg of document.querySelectorAll("svg.heat")) {
    const rows = rowsOf(svg.dataset.table);
    const heads = headsOf(svg.dataset.table);
    const columns = number(svg, "columns");
    const layers = number(svg, "rows");
    const left = number(svg, "left");
    const top = number(svg, "top");
    const width = (number(svg, "right") - left) / columns;
    const height = (number(svg, "bottom") - top) / layers;
    const cursor = svg.querySelector("rect.cursor");
    const pick = point => [
      clamp(Math.floor((point.x - left) / width), 0, columns - 1),
      clamp(Math.floor((point.y - top) / height), 0, layers - 1)
    ];
    const show = ([column, layer]) => {
      cursor.setAttribute("x", left + column * width);
      cursor.setAttribute("y", top + layer * height);
      return heads[layer + 1] + ", epoch " + rows[column][0] + ": " + rows[column][layer + 1];
    };
    document.getElementById(svg.id + "-readout").textContent = "Point at a cell or use the arrow keys to see its value.";
    listen(svg, cursor, columns, pick, show, layers);
  }
})();
