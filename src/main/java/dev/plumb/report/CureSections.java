package dev.plumb.report;

import dev.plumb.model.Activation;
import dev.plumb.model.Initializer;
import dev.plumb.report.LineChart.Series;
import dev.plumb.study.Cure;
import dev.plumb.study.DepthCures;
import dev.plumb.study.Proportion;
import dev.plumb.study.Quartiles;
import dev.plumb.study.Study;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.IntStream;

/** The sections of a report about the cures of deep networks: those of the very deep ones, depths, and gradients by layer. */
final class CureSections {
  private final DepthCures cures;
  private final boolean severalSeeds;

  CureSections(DepthCures cures) {
    this.cures = cures;
    severalSeeds = cures.result().study().seeds() > 1;
  }

  void draw(Page page) {
    drawCures(page);
    drawDepths(page);
    drawGradients(page);
    page.html().element("p", "The following sections are about the notebook's networks only.", "class", "summary").line();
  }

  private void drawCures(Page page) {
    Markup html = page.html();
    page.startSection("cures", "Cures of " + DepthCures.DEPTH + " hidden layers");
    for (Activation activation : DepthCures.ACTIVATIONS) {
      html.element("h3", GridReport.capitalized(activation.key()), "class", "table-title").line();
      GridReport.startTable(html, "cures-" + activation.key(), List.of("cure, " + activation.key(), "seeds", "diverged", "learned",
          "final loss", "below plain", "fall per layer, first step", "last step"), 1);
      Study.Cell plain = cures.cell(activation, Cure.PLAIN, DepthCures.DEPTH);
      for (Cure cure : Cure.values()) {
        Study.Cell cell = cures.cell(activation, cure, DepthCures.DEPTH);
        Proportion diverged = cures.diverged(cell);
        html.open("tr").open("th", "scope", "row").text(cure.label());
        if (!cure.isInitializer() && cell.initializer() != Initializer.NOTEBOOK) {
          html.element("div", "initializer " + cell.initializer().key(), "class", "small");
        }
        html.close("th").element("td", Format.whole(diverged.of())).element("td", percent(diverged));
        proportion(html, cures.learned(cell));
        GridReport.spread(html, cures.finalLoss(cell), severalSeeds);
        if (cure == Cure.PLAIN) {
          html.element("td", "-");
        } else {
          proportion(html, cures.below(cell, plain));
        }
        GridReport.spread(html, cures.firstFall(cell), severalSeeds);
        GridReport.spread(html, cures.lastFall(cell), severalSeeds);
        html.close("tr").line();
      }
      GridReport.endTable(html);
    }
    html.element("p", "Weights are from the notebook's initializer unless another one is named. Learned:"
        + " the final loss is below 0.95 of the best constant's loss; a network that diverged has not learned. Below plain: the final loss is below that of the plain network of the same seed. Fall per layer: the factor by which"
        + " backpropagation divides the gradient norm from a hidden layer to the one before it, as a geometric mean; below 1 if the"
        + " norm grows. Networks in which the norm of the first or last hidden layer is 0 have none.", "class", "small").line();
    page.endSection();
  }

  private static String percent(Proportion proportion) {
    return Format.percent(proportion.count() / (double) proportion.of());
  }

  private static String interval(Proportion proportion) {
    return String.format(Locale.ROOT, "%.1f to %.1f", 100 * proportion.low(), 100 * proportion.high());
  }

  /** Returns a percentage without decimals, unless it would be rounded to 0 or 100: 38 %, 99.6 %. */
  private static String shortPercent(double fraction) {
    boolean atEnd = fraction > 0 && fraction < 0.005 || fraction < 1 && fraction >= 0.995;
    return String.format(Locale.ROOT, atEnd ? "%.1f %%" : "%.0f %%", 100 * fraction);
  }

  private static String shortInterval(Proportion proportion) {
    return String.format(Locale.ROOT, "%.0f-%.0f", 100 * proportion.low(), 100 * proportion.high());
  }

  private static void proportion(Markup html, Proportion proportion) {
    html.open("td").text(percent(proportion));
    if (proportion.of() > 0) {
      html.element("div", interval(proportion), "class", "small");
    }
    html.close("td");
  }

  private void drawDepths(Page page) {
    Markup html = page.html();
    page.startSection("cure-depths", "Networks that learned, by number of hidden layers");
    html.open("div", "class", "charts").line();
    DepthCures.ACTIVATIONS.forEach(activation -> drawShares(html, activation));
    double[] x = DepthCures.DEPTHS.stream().mapToDouble(Integer::doubleValue).toArray();
    List<NumberTable> tables = new ArrayList<>();
    for (Activation activation : DepthCures.ACTIVATIONS) {
      List<Series> series = new ArrayList<>();
      for (Cure cure : DepthCures.swept(activation)) {
        Quartiles[] losses = DepthCures.DEPTHS.stream().map(depth -> cures.finalLoss(cures.cell(activation, cure, depth)))
            .toArray(Quartiles[]::new);
        series.add(GridReport.series(Integer.toString(series.size() + 1), series.size() + 1, losses));
      }
      String id = "cure-losses-" + activation.key();
      new LineChart(id, "Final loss, " + activation.key(), "hidden layers", x, series, id + "-table").withPoints().withShortLabels()
          .draw(html);
      tables.add(table(id, "Table of final losses, " + activation.key(), "hidden layers", DepthCures.swept(activation), x, series));
    }
    html.close("div").line();
    drawKey(html, DepthCures::swept);
    html.element("p", "Proportions have their 95 % confidence interval. Losses are medians, with bands between the quartiles."
        + (cures.result().study().seeds() > cures.result().study().seedLimit().maxSeeds() ? " The notebook's networks and those with "
            + DepthCures.DEPTH + " hidden layers are trained from all seeds, the others from the first "
            + cures.result().study().seedLimit().maxSeeds() + "." : ""), "class", "small").line();
    tables.forEach(table -> table.draw(html, ""));
    page.endSection();
  }

  /** Draws a table of the proportions that learned, by cure (rows) and depth (columns), with colored cells. */
  private void drawShares(Markup html, Activation activation) {
    html.open("div", "class", "card").line();
    html.element("h3", "Learned, " + activation.key(), "id", "shares-" + activation.key() + "-title").line();
    html.scrolling("Learned, " + activation.key()).line();
    html.open("table", "class", "matrix shares", "id", "shares-" + activation.key()).line();
    html.open("thead").open("tr").element("th", "hidden layers", "scope", "col");
    DepthCures.DEPTHS.forEach(depth -> html.element("th", Integer.toString(depth), "scope", "col"));
    html.close("thead").line().open("tbody").line();
    for (Cure cure : DepthCures.swept(activation)) {
      html.open("tr").element("th", cure.label(), "scope", "row");
      for (int depth : DepthCures.DEPTHS) {
        Proportion learned = cures.learned(cures.cell(activation, cure, depth));
        html.open("td", "class", "share", "style",
            String.format(Locale.ROOT, "--share:%.3f", learned.count() / (double) Math.max(1, learned.of())));
        html.text(shortPercent(learned.count() / (double) learned.of())).element("div", shortInterval(learned), "class", "small")
            .close("td");
      }
      html.close("tr").line();
    }
    html.close("table").close("div").close("div").line();
  }

  private void drawGradients(Page page) {
    Markup html = page.html();
    page.startSection("cure-gradients", "Gradient norms of " + DepthCures.DEPTH + " hidden layers");
    html.open("div", "class", "charts").line();
    List<NumberTable> tables = new ArrayList<>();
    for (Activation activation : DepthCures.ACTIVATIONS) {
      tables.add(drawNorms(html, activation, "first", cures::firstNorms));
      tables.add(drawNorms(html, activation, "last", cures::lastNorms));
    }
    html.close("div").line();
    drawKey(html, DepthCures::drawn);
    html.element("p", "Frobenius norm of each layer's weight gradient, median over the seeds; layer " + (DepthCures.DEPTH + 1)
        + " is the output layer.", "class", "small").line();
    tables.forEach(table -> table.draw(html, ""));
    page.endSection();
  }

  private NumberTable drawNorms(Markup html, Activation activation, String step, Function<Study.Cell, double[]> norms) {
    double[] x = IntStream.rangeClosed(1, DepthCures.DEPTH + 1).asDoubleStream().toArray();
    List<Series> series = new ArrayList<>();
    for (Cure cure : DepthCures.drawn(activation)) {
      series.add(new Series(Integer.toString(series.size() + 1), series.size() + 1,
          norms.apply(cures.cell(activation, cure, DepthCures.DEPTH))));
    }
    String id = "cure-norms-" + activation.key() + "-" + step;
    String title = "Gradient norm in the " + step + " step, " + activation.key();
    new LineChart(id, title, "layer", x, series, id + "-table").withPoints().withShortLabels().draw(html);
    return table(id, "Table: " + title, "layer", DepthCures.drawn(activation), x, series);
  }

  private static NumberTable table(String id, String title, String axis, List<Cure> columns, double[] x, List<Series> series) {
    List<String> heads = new ArrayList<>(List.of(axis));
    columns.forEach(cure -> heads.add(cure.label()));
    return new NumberTable(id + "-table", title, heads, x, series.stream().map(Series::values).toList());
  }

  /** Draws a legend for the charts of both activations; some cures differ between them. */
  private static void drawKey(Markup html, Function<Activation, List<Cure>> drawn) {
    List<List<Cure>> lists = DepthCures.ACTIVATIONS.stream().map(drawn).toList();
    LineChart.drawKey(html, IntStream.range(0, lists.get(0).size())
        .mapToObj(i -> i + 1 + ". " + String.join(" or ", lists.stream().map(list -> list.get(i).label()).distinct().toList()))
        .toList());
  }
}
