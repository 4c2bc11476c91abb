"use strict";
(function () {
  document.getElementById("theme").addEventListener("click", function () {
    try {
      var chosen = document.documentElement.getAttribute("data-theme");
      window.localStorage.setItem("bench-theme", chosen);
    } catch (error) { /* The choice lasts for this page. */ }
  });

  function text(row, column) {
    var cell = row.cells[column];
    return cell ? cell.textContent.trim() : "";
  }

  function filter(form) {
    var rows = document.querySelector('[data-filtered="' + form.dataset.filters + '"] tbody').rows;
    var shown = 0;
    Array.from(rows).forEach(function (row) {
      var fits = Array.from(form.querySelectorAll("[data-filter]")).every(function (field) {
        if (field.dataset.filter !== "text") {
          return !field.value || text(row, Number(field.dataset.filter)) === field.value;
        }
        var whole = [0, 1, 2].map(function (i) { return text(row, i); }).join(" ").toLowerCase();
        return field.value.toLowerCase().split(/\s+/).every(function (w) {
          return whole.indexOf(w) >= 0;
        });
      });
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    form.querySelector(".count").textContent = shown + " of " + rows.length + " shown";
  }

  document.querySelectorAll("form[data-filters]").forEach(function (form) {
    ["input", "change"].forEach(function (event) {
      form.addEventListener(event, function () { filter(form); });
    });
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    filter(form);
  });

  /* Plotly is large: it is fetched when the first plot comes near, or the page is printed. */
  var source = document.body.dataset.plotly;
  var plots = source ? document.querySelectorAll(".plot") : [];
  var asked = false;

  function fetchPlotly() {
    if (asked) { return; }
    asked = true;
    var script = document.createElement("script");
    script.src = source;
    script.addEventListener("load", function () { window.dispatchEvent(new Event("plotly")); });
    document.head.appendChild(script);
  }

  if (plots.length && "IntersectionObserver" in window) {
    var observer = new IntersectionObserver(function (seen) {
      if (seen.some(function (one) { return one.isIntersecting; })) {
        observer.disconnect();
        fetchPlotly();
      }
    }, { rootMargin: "400px" });
    plots.forEach(function (plot) { observer.observe(plot); });
  } else if (plots.length) {
    fetchPlotly();
  }
})();
