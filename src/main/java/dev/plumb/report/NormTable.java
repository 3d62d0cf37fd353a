package dev.plumb.report;

import java.util.Arrays;
import java.util.List;

/**
 * A table of gradient norms by network (rows) and layer (columns), with cells colored on a logarithmic scale. A network's last
 * cell is its output layer and has a frame.
 */
final class NormTable {
  private static final int MAX_NETWORKS = 60;
  private static final int MAX_LAYERS = 40;

  private final List<NetworkSummary> networks;
  private final double[][] norms;
  private final int layers;
  private final ColorScale scale;

  NormTable(List<NetworkSummary> networks) {
    this.networks = networks.subList(0, Math.min(MAX_NETWORKS, networks.size()));
    norms = this.networks.stream().map(NetworkSummary::gradientNorms).toArray(double[][]::new);
    layers = Math.min(MAX_LAYERS, Arrays.stream(norms).mapToInt(row -> row.length).max().orElse(0));
    scale = ColorScale.of(Arrays.stream(norms).flatMapToDouble(Arrays::stream).toArray());
  }

  void draw(Markup html) {
    html.open("div", "class", "card").line();
    html.element("p", "Rows: networks. Columns: layers, starting at the inputs; a network's last cell, with a frame, is its output"
        + " layer. Ratio: the last hidden layer's norm divided by the first layer's.", "class", "small", "id",
        "norms-explained").line();
    html.scrolling("Gradient norms").line();
    html.open("table", "class", "matrix norms", "id", "norms", "aria-describedby", "norms-explained").line();
    html.open("thead").open("tr").element("th", "network", "scope", "col")
        .element("th", "ratio", "scope", "col");
    for (int layer = 1; layer <= layers; layer++) {
      html.element("th", "L" + layer, "scope", "col");
    }
    html.close("thead").line().open("tbody").line();
    for (int i = 0; i < norms.length; i++) {
      html.open("tr").element("th", StudyPage.label(i, networks.get(i).network()), "scope", "row");
      html.element("td", GradientFlow.ratio(norms[i]), "class", "plain");
      for (int layer = 0; layer < layers; layer++) {
        cell(html, norms[i], layer);
      }
      html.close("tr").line();
    }
    html.close("table").close("div").line();
    legend(html);
    html.close("div").line();
  }

  private void cell(Markup html, double[] networkNorms, int layer) {
    if (layer >= networkNorms.length) {
      html.element("td", "", "class", "plain");
      return;
    }
    double value = networkNorms[layer];
    String framed = layer == networkNorms.length - 1 ? " framed" : "";
    if (value > 0 && Double.isFinite(value)) {
      double at = scale.at(value);
      html.element("td", Format.cell(value), "class", (ColorScale.needsDarkText(at) ? "on-light" : "on-dark") + framed,
          "style", "background:" + ColorScale.color(at), "title", Format.table(value));
    } else {
      html.element("td", Format.cell(value), "class", (value == 0 ? "plain" : "hatched") + framed);
    }
  }

  private void legend(Markup html) {
    if (!(scale.high() > scale.low())) {
      return;
    }
    StringBuilder stops = new StringBuilder();
    for (int i = 0; i <= 8; i++) {
      stops.append(", ").append(ColorScale.color(i / 8.0));
    }
    html.open("p", "class", "ramp").element("span", Format.brief(scale.low()))
        .element("span", "", "class", "bar", "style", "background:linear-gradient(to right" + stops + ")")
        .element("span", Format.brief(scale.high()) + " (log scale)").close().line();
  }
}
