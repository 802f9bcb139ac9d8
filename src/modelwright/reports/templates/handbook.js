"use strict";
(function () {
  var box = document.getElementById("search");
  var none = document.getElementById("none");
  var cards = Array.prototype.slice.call(document.querySelectorAll(".cards li"));
  var tags = Array.prototype.slice.call(document.querySelectorAll(".tags button"));
  var topic = "";

  function show() {
    var words = box.value.toLowerCase().replace(/-/g, " ").split(/\s+/).filter(Boolean);
    var n = 0;
    cards.forEach(function (card) {
      var text = card.getAttribute("data-text");
      var fits = (!topic || card.getAttribute("data-topic") === topic) &&
        words.every(function (word) { return text.indexOf(word) >= 0; });
      card.hidden = !fits;
      n += fits ? 1 : 0;
    });
    none.textContent = n ? n + (n === 1 ? " question" : " questions") : "No question holds all of these words.";
  }

  tags.forEach(function (tag) {
    tag.addEventListener("click", function () {
      topic = tag.getAttribute("data-topic");
      tags.forEach(function (other) { other.setAttribute("aria-pressed", String(other === tag)); });
      show();
    });
  });
  box.addEventListener("input", show);
  document.getElementById("finder").hidden = false;
  show();
})();
