package dev.plumb.report;

import java.util.Arrays;
import java.util.List;

/**
 * Gradient norm by network (down) and layer (across) as a table whose cells are coloured on a logarithmic scale and have their
 * number. The last cell of a network is its output layer, framed.
 */
final class NormTable {
  private static final int MAX_NETWORKS = 60;
  private static final int MAX_LAYERS = 40;

  private final List<StudyFigures> networks;
  private final double[][] norms;
  private final int layers;
  private final ColourScale scale;

  NormTable(List<StudyFigures> networks) {
    this.networks = networks.subList(0, Math.min(MAX_NETWORKS, networks.size()));
    norms = this.networks.stream().map(StudyFigures::gradientNorms).toArray(double[][]::new);
    layers = Math.min(MAX_LAYERS, Arrays.stream(norms).mapToInt(of -> of.length).max().orElse(0));
    scale = ColourScale.of(Arrays.stream(norms).flatMapToDouble(Arrays::stream).toArray());
  }

  void draw(Markup html) {
    html.open("div", "class", "card").line();
    html.element("p", "Rows: networks. Columns: layers from the inputs on; a network's last cell, framed, is its output layer."
        + " Fall: the last hidden layer's norm as a multiple of the first layer's.", "class", "small", "id",
        "norms-explained").line();
    html.scrolling("Gradient norms").line();
    html.open("table", "class", "matrix norms", "id", "norms", "aria-describedby", "norms-explained").line();
    html.open("thead").open("tr").element("th", "network", "scope", "col")
        .element("th", "fall", "scope", "col");
    for (int layer = 1; layer <= layers; layer++) {
      html.element("th", "L" + layer, "scope", "col");
    }
    html.close("thead").line().open("tbody").line();
    for (int i = 0; i < norms.length; i++) {
      html.open("tr").element("th", StudyPage.label(i, networks.get(i).network()), "scope", "row");
      html.element("td", GradientFlow.word(norms[i]), "class", "plain");
      for (int layer = 0; layer < layers; layer++) {
        cell(html, norms[i], layer);
      }
      html.close("tr").line();
    }
    html.close("table").close("div").line();
    ramp(html);
    html.close("div").line();
  }

  private void cell(Markup html, double[] of, int layer) {
    if (layer >= of.length) {
      html.element("td", "", "class", "plain");
      return;
    }
    double value = of[layer];
    String framed = layer == of.length - 1 ? " framed" : "";
    if (value > 0 && Double.isFinite(value)) {
      double at = scale.at(value);
      html.element("td", Figures.cell(value), "class", (ColourScale.wantsDarkText(at) ? "on-light" : "on-dark") + framed,
          "style", "background:" + ColourScale.colour(at), "title", Figures.table(value));
    } else {
      html.element("td", Figures.cell(value), "class", (value == 0 ? "plain" : "hatched") + framed);
    }
  }

  private void ramp(Markup html) {
    if (!(scale.high() > scale.low())) {
      return;
    }
    StringBuilder stops = new StringBuilder();
    for (int i = 0; i <= 8; i++) {
      stops.append(", ").append(ColourScale.colour(i / 8.0));
    }
    html.open("p", "class", "ramp").element("span", Figures.brief(scale.low()))
        .element("span", "", "class", "bar", "style", "background:linear-gradient(to right" + stops + ")")
        .element("span", Figures.brief(scale.high()) + " (log scale)").close().line();
  }
}
