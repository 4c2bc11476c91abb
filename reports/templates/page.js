"use strict";
(function () {
  var root = document.documentElement;
  var button = document.getElementById("theme");
  var media = window.matchMedia("(prefers-color-scheme: dark)");

  function isDark() {
    var chosen = root.getAttribute("data-theme");
    return chosen ? chosen === "dark" : media.matches;
  }

  var printing = false;
  var GOOD = "#158a52";

  function colours() {
    var style = getComputedStyle(root);
    return {
      good: printing ? GOOD : style.getPropertyValue("--good").trim(),
      ink: printing ? "#000" : style.getPropertyValue("--ink").trim(),
      grid: printing ? "#ccc" : style.getPropertyValue("--line").trim()
    };
  }

  function layoutFor(div, layout) {
    var c = colours();
    var narrow = div.clientWidth < 500;
    var out = Object.assign({}, layout);
    out.height = Number(div.dataset.height);
    out.width = div.clientWidth;
    out.paper_bgcolor = "rgba(0,0,0,0)";
    out.plot_bgcolor = "rgba(0,0,0,0)";
    out.font = { color: c.ink, size: narrow ? 11 : 13, family: "system-ui, sans-serif" };
    out.margin = { l: 48, r: 8, t: 12, b: 36 };
    Object.keys(layout).concat(["xaxis", "yaxis"]).forEach(function (name) {
      if (/^[xy]axis/.test(name)) {
        out[name] = Object.assign({ gridcolor: c.grid, linecolor: c.grid }, layout[name]);
      }
    });
    out.annotations = (layout.annotations || []).map(function (one) {
      var font = Object.assign({}, one.font);
      if (font.color === GOOD) { font.color = c.good; }
      font.size = narrow ? Math.min(10, font.size || 10) : font.size;
      return Object.assign({}, one, { font: font });
    });
    out.hovermode = "closest";
    return out;
  }

  function draw(div) {
    var holder = document.querySelector('script[data-for="' + div.id + '"]');
    if (!holder || !window.Plotly || !div.clientWidth) { return; }
    var spec = JSON.parse(holder.textContent);
    var layout = layoutFor(div, spec.layout);
    window.Plotly.react(div, spec.data, layout, { displayModeBar: false });
    div.dataset.drawn = String(div.clientWidth);
  }

  function drawAll(again) {
    document.querySelectorAll(".plot").forEach(function (div) {
      if (again ? div.dataset.drawn : true) { draw(div); }
    });
  }

  /* A page that loads Plotly only when a plot comes into view says so when it is there. */
  window.addEventListener("plotly", function () { drawAll(false); });

  var waiting = 0;
  window.addEventListener("resize", function () {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(function () {
      if (printing) { return; }
      document.querySelectorAll(".plot").forEach(function (div) {
        if (div.dataset.drawn && div.dataset.drawn !== String(div.clientWidth)) { draw(div); }
      });
    }, 150);
  });

  function showTheme() {
    var dark = isDark();
    button.setAttribute("aria-pressed", String(dark));
    button.textContent = dark ? "Light" : "Dark";
    button.setAttribute("aria-label", dark ? "Use light colours" : "Use dark colours");
  }

  button.addEventListener("click", function () {
    root.setAttribute("data-theme", isDark() ? "light" : "dark");
    showTheme();
    drawAll(true);
  });
  media.addEventListener("change", function () { showTheme(); drawAll(true); });

  function key(row, column) {
    var text = row.cells[column].dataset.sort;
    var number = Number(text);
    return text !== "" && !Number.isNaN(number) ? number : text;
  }

  function compare(a, b) {
    if (a === "" || b === "") { return (a === "") - (b === ""); }
    if (typeof a === "number" && typeof b === "number") { return a - b; }
    return String(a).localeCompare(String(b), undefined, { numeric: true });
  }

  function sort(th) {
    var table = th.closest("table");
    var body = table.tBodies[0];
    var up = th.getAttribute("aria-sort") !== "ascending";
    table.querySelectorAll("th[aria-sort]").forEach(function (other) {
      other.setAttribute("aria-sort", "none");
    });
    th.setAttribute("aria-sort", up ? "ascending" : "descending");
    Array.from(body.rows).sort(function (x, y) {
      var a = key(x, th.cellIndex), b = key(y, th.cellIndex);
      var order = compare(a, b);
      return a === "" || b === "" || up ? order : -order;
    }).forEach(function (row) { body.appendChild(row); });
  }

  document.querySelectorAll("button.sort").forEach(function (b) {
    b.addEventListener("click", function () { sort(b.closest("th")); });
  });

  document.querySelectorAll("details").forEach(function (d) {
    d.addEventListener("toggle", function () {
      if (d.open) {
        d.querySelectorAll(".plot").forEach(function (p) { if (!p.dataset.drawn) { draw(p); } });
      }
    });
  });
  /* Paper is narrow and white: plots are drawn again for it, and everything foldable with
     pictures or plots in it is shown. */
  var folded = [];
  window.addEventListener("beforeprint", function () {
    folded = Array.from(document.querySelectorAll("details.tool:not([open])"));
    folded.forEach(function (d) { d.open = true; });
    printing = true;
    root.classList.add("printing");
    drawAll(false);
  });
  window.addEventListener("afterprint", function () {
    printing = false;
    root.classList.remove("printing");
    folded.forEach(function (d) { d.open = false; });
    drawAll(true);
  });

  showTheme();
  drawAll(false);
  root.dataset.ready = "1";
})();
