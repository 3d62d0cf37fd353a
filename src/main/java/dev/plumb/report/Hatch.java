package dev.plumb.report;

/** The hatch pattern that marks non-finite values; each drawing defines its own. */
final class Hatch {
  private Hatch() {}

  static void define(Markup html, String drawing) {
    html.open("defs").open("pattern", "id", drawing + "-hatch", "width", "6", "height", "6", "patternUnits", "userSpaceOnUse",
        "patternTransform", "rotate(45)");
    html.empty("rect", "class", "hatch-ground", "width", "6", "height", "6");
    html.empty("line", "class", "hatch-line", "x1", "0", "x2", "0", "y1", "0", "y2", "6").close("defs").line();
  }

  static String fill(String drawing) {
    return "url(#" + drawing + "-hatch)";
  }
}
