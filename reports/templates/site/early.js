"use strict";
/* The theme a reader chose, before anything is painted. Storage may be refused. */
(function () {
  try {
    var chosen = window.localStorage.getItem("bench-theme");
    if (chosen === "dark" || chosen === "light") {
      document.documentElement.setAttribute("data-theme", chosen);
    }
  } catch (error) { /* The system's theme is used. */ }
})();
