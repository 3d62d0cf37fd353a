package dev.plumb.report;

import dev.plumb.report.LineChart.Series;
import dev.plumb.study.Finding;
import dev.plumb.study.GridResult;
import dev.plumb.study.GridRow;
import dev.plumb.study.GridStudy;
import dev.plumb.study.GridStudy.Cell;
import dev.plumb.study.Quartiles;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** The gradient flow of a grid as one page: findings, cells, losses, depth, gradient norms by layer and epoch, and what units do. */
public final class GridReport {
  private static final int MAX_LISTED = 500;
  private static final int MAX_CHARTS = 12;
  private static final int MAX_CURVES = 8;

  private final GridResult result;
  private final GridStudy study;
  private final List<Finding> findings;
  private final SortedMap<String, String> manifest;
  private final int[] epochs;

  /** @param manifest versions and device */
  public GridReport(GridResult result, List<Finding> findings, SortedMap<String, String> manifest) {
    this.result = result;
    this.findings = findings;
    this.manifest = manifest;
    study = result.study();
    epochs = study.curveEpochs().stream().mapToInt(Integer::intValue).toArray();
  }

  /** Leaves the stream open. */
  public void write(OutputStream out) throws IOException {
    Page page = new Page(study.spec().name(), "Gradient flow");
    page.tiles(List.of(
        Map.entry("cells", Figures.whole(study.cells().size())),
        Map.entry("seeds", Figures.whole(study.seeds())),
        Map.entry("networks", Figures.whole(result.finished())),
        Map.entry("diverged", Figures.whole(result.diverged())),
        Map.entry("epochs", Figures.whole(study.spec().training().epochs())),
        Map.entry("time of training", Figures.seconds(
            Arrays.stream(result.rows()).filter(row -> row != null).mapToDouble(GridRow::seconds).sum()))));
    page.startMain();
    drawFindings(page);
    drawCells(page);
    drawLosses(page);
    drawDepth(page);
    drawNorms(page);
    drawUnits(page);
    page.entries("configuration", "Configuration", StudyReport.configuration(study.spec(), study.seeds()));
    page.entries("manifest", "Manifest", manifest);
    out.write(page.finish());
  }

  private static String label(Cell cell) {
    String name = cell.name();
    boolean isLong = name.codePointCount(0, name.length()) > 40;
    return cell.index() + 1 + ". " + (isLong ? name.substring(0, name.offsetByCodePoints(0, 39)) + "…" : name);
  }

  private void drawFindings(Page page) {
    if (findings.isEmpty()) {
      return;
    }
    Markup html = page.html();
    page.startSection("findings", "Findings");
    for (Finding finding : findings) {
      html.open("div", "class", "card claim").line();
      html.open("h3").text(finding.claim());
      if (finding.verdict() != Finding.Verdict.MEASURED) {
        html.text(" ").element("span", finding.verdict().words(), "class", "verdict");
      }
      html.close().line().element("p", finding.measured()).close().line();
    }
    html.element("p", "Figures are medians over the networks that stayed finite, with quartiles in brackets; shares have the 95 %"
        + " interval of what they are a sample of.", "class", "small").line();
    page.endSection();
  }

  private List<Cell> listed() {
    return study.cells().subList(0, Math.min(MAX_LISTED, study.cells().size()));
  }

  private void startTable(Markup html, String id, List<String> heads, int words) {
    html.open("div", "class", "card").scrolling(heads.get(0)).line();
    html.open("table", "class", "numbers wrapped", "id", id).line().open("thead").open("tr");
    for (int i = 0; i < heads.size(); i++) {
      html.element("th", heads.get(i), "scope", "col", "class", i < words ? "word" : null);
    }
    html.close("thead").line().open("tbody").line();
  }

  private static void endTable(Markup html) {
    html.close("table").close("div").close("div").line();
  }

  private void drawCells(Page page) {
    Markup html = page.html();
    page.startSection("cells", "Cells");
    startTable(html, "cells-table", List.of("cell", "layers", "activation", "weights", "learning rate", "seeds", "diverged",
        "final loss", "grad norm L1", "grad norm last"), 4);
    for (Cell cell : listed()) {
      List<GridRow> rows = result.of(cell);
      long diverged = rows.stream().filter(row -> row.diverged() > 0).count();
      html.open("tr").element("th", label(cell), "scope", "row").element("td", cell.network().shape(), "class", "word")
          .element("td", cell.network().activation().key(), "class", "word").element("td", cell.initializer().key(), "class", "word")
          .element("td", Figures.brief(cell.learningRate())).element("td", Figures.whole(rows.size()))
          .element("td", Figures.percent(diverged / (double) rows.size()));
      spread(html, cell, GridRow::finalLoss);
      spread(html, cell, GridRow::gradientNormFirst);
      spread(html, cell, GridRow::gradientNormLast);
      html.close("tr").line();
    }
    endTable(html);
    if (study.cells().size() > MAX_LISTED) {
      html.element("p", "The first " + MAX_LISTED + " cells are listed; --csv has every network.", "class", "small").line();
    }
    page.endSection();
  }

  private void spread(Markup html, Cell cell, ToDoubleFunction<GridRow> figure) {
    Quartiles of = result.quartiles(cell, figure);
    html.open("td").text(Double.isNaN(of.median()) ? "-" : Figures.brief(of.median()));
    if (study.seeds() > 1 && !Double.isNaN(of.median())) {
      html.element("div", "[" + Figures.brief(of.low()) + ", " + Figures.brief(of.high()) + "]", "class", "small");
    }
    html.close("td");
  }

  /** Cells that differ in depth alone; where that would put two of one depth together, in width too, by the first hidden layer. */
  private Map<String, List<Cell>> families() {
    Map<String, List<Cell>> coarse = families(false);
    boolean ambiguous = coarse.values().stream()
        .anyMatch(family -> family.stream().map(GridReport::depth).distinct().count() < family.size());
    return ambiguous ? families(true) : coarse;
  }

  private Map<String, List<Cell>> families(boolean byWidth) {
    boolean initializers = study.cells().stream().map(Cell::initializer).distinct().count() > 1;
    boolean rates = study.cells().stream().map(Cell::learningRate).distinct().count() > 1;
    Map<String, List<Cell>> families = new LinkedHashMap<>();
    for (Cell cell : study.cells()) {
      String name = cell.network().activation().key() + (initializers ? ", " + cell.initializer().key() : "")
          + (rates ? ", rate " + Figures.brief(cell.learningRate()) : "")
          + (byWidth ? ", width " + cell.network().widths().get(1) : "");
      families.computeIfAbsent(name, key -> new ArrayList<>()).add(cell);
    }
    return families;
  }

  private static int depth(Cell cell) {
    return cell.network().layerCount() - 1;
  }

  /** A loss at an epoch is before its updates, which is after those of the epochs before. */
  private void drawLosses(Page page) {
    Markup html = page.html();
    page.startSection("losses", "Losses");
    double[] x = IntStream.concat(Arrays.stream(epochs).map(epoch -> epoch - 1), IntStream.of(study.spec().training().epochs()))
        .asDoubleStream().toArray();
    html.open("div", "class", "charts").line();
    List<NumberTable> tables = new ArrayList<>();
    int chart = 0;
    for (Map.Entry<String, List<Cell>> family : families().entrySet()) {
      if (chart == MAX_CHARTS) {
        break;
      }
      List<Cell> drawn = family.getValue().subList(0, Math.min(MAX_CURVES, family.getValue().size()));
      List<Series> series = new ArrayList<>();
      for (Cell cell : drawn) {
        Quartiles[] of = new Quartiles[x.length];
        Arrays.setAll(of, i -> result.quartiles(cell, row -> i < epochs.length ? row.losses()[i] : row.finalLoss()));
        series.add(series(Integer.toString(cell.index() + 1), series.size() + 1, of));
      }
      String id = "losses-" + chart++;
      new LineChart(id, "Loss, " + family.getKey(), "epochs done", x, series, id + "-table").withShortLabels().draw(html);
      List<String> heads = new ArrayList<>(List.of("epochs done"));
      drawn.forEach(cell -> heads.add(label(cell)));
      tables.add(new NumberTable(id + "-table", "Median losses as a table, " + family.getKey(), heads, x,
          series.stream().map(Series::values).toList()));
    }
    html.close("div").line();
    html.element("p", "Medians over the seeds, numbered as the cells above; bands hold the middle half." + (chart == MAX_CHARTS
        ? " At most " + MAX_CHARTS + " drawings are shown." : ""), "class", "small").line();
    tables.forEach(table -> table.draw(html, ""));
    page.endSection();
  }

  private static Series series(String name, int column, Quartiles[] of) {
    return new Series(name, column, Arrays.stream(of).mapToDouble(Quartiles::median).toArray(),
        Arrays.stream(of).mapToDouble(Quartiles::low).toArray(), Arrays.stream(of).mapToDouble(Quartiles::high).toArray());
  }

  private void drawDepth(Page page) {
    TreeSet<Integer> depths = new TreeSet<>();
    study.cells().forEach(cell -> depths.add(depth(cell)));
    if (depths.size() < 2) {
      return;
    }
    double[] x = depths.stream().mapToDouble(Integer::doubleValue).toArray();
    List<Series> series = new ArrayList<>();
    Map<String, List<Cell>> families = families();
    families.forEach((name, cells) -> {
      if (series.size() < MAX_CURVES) {
        Quartiles[] of = new Quartiles[x.length];
        Arrays.setAll(of, i -> cells.stream().filter(cell -> depth(cell) == (int) x[i]).findFirst()
            .map(cell -> result.quartiles(cell, GridRow::finalLoss)).orElse(Quartiles.of(new double[0])));
        series.add(series(Integer.toString(series.size() + 1), series.size() + 1, of));
      }
    });
    Markup html = page.html();
    page.startSection("depth", "Depth and final loss");
    html.open("div", "class", "charts").line();
    new LineChart("depth-chart", "Final loss by depth", "hidden layers", x, series, "depth-table").withPoints().withShortLabels()
        .draw(html);
    html.close("div").line().open("ul", "class", "key").line();
    List<String> names = families.keySet().stream().limit(series.size()).toList();
    for (int i = 0; i < names.size(); i++) {
      html.open("li").open("svg", "viewBox", "0 0 34 10", "aria-hidden", "true")
          .empty("path", "class", "curve s" + i % LineChart.STYLES, "d", "M1 5L33 5").close();
      html.element("span", i + 1 + ". " + names.get(i)).close("li").line();
    }
    html.close("ul").line();
    List<String> heads = new ArrayList<>(List.of("hidden layers"));
    heads.addAll(names);
    new NumberTable("depth-table", "Median final losses as a table", heads, x, series.stream().map(Series::values).toList())
        .draw(html, families.size() > series.size() ? "The first " + MAX_CURVES + " kinds are drawn." : "");
    page.endSection();
  }

  private void drawNorms(Page page) {
    Markup html = page.html();
    page.startSection("gradients", "Gradient norms by layer and epoch");
    html.element("p", "Median over the seeds of the norm of each layer's weight gradient, in the last step of the epoch. Epochs are not"
        + " evenly spaced.", "class", "small").line();
    html.open("div", "class", "charts").line();
    int[] shown = Thinning.spread(study.cells().size(), MAX_CHARTS);
    List<HeatMap> maps = new ArrayList<>();
    for (int index : shown) {
      Cell cell = study.cells().get(index);
      int layers = cell.network().layerCount();
      double[][] norms = new double[epochs.length][layers];
      for (int epoch = 0; epoch < epochs.length; epoch++) {
        int at = epoch;
        Arrays.setAll(norms[epoch], layer -> result.quartiles(cell, row -> row.normAt(at, layer)).median());
      }
      List<String> names = IntStream.rangeClosed(1, layers).mapToObj(layer -> layer == layers ? "output" : "L" + layer).toList();
      HeatMap map = new HeatMap("norms-" + index, epochs, norms, names);
      map.draw(html, label(cell), "Gradient norm by layer, down, and epoch, across.");
      maps.add(map);
    }
    html.close("div").line();
    maps.forEach(map -> map.drawTable(html));
    if (shown.length < study.cells().size()) {
      html.element("p", "Of " + Figures.whole(study.cells().size()) + " cells " + shown.length + " are shown, evenly spread.", "class",
          "small").line();
    }
    page.endSection();
  }

  private void drawUnits(Page page) {
    Markup html = page.html();
    page.startSection("units", "Updates and units at the end");
    startTable(html, "units-table", List.of("cell", "update over weights, L1", "last hidden", "output", "dead or saturated, L1",
        "last hidden", "worst layer"), 1);
    for (Cell cell : listed()) {
      int layers = cell.network().layerCount();
      html.open("tr").element("th", label(cell), "scope", "row");
      spread(html, cell, row -> row.updateRatios()[0]);
      spread(html, cell, row -> layers < 2 ? Double.NaN : row.updateRatios()[layers - 2]);
      spread(html, cell, row -> row.updateRatios()[layers - 1]);
      double[] idle = IntStream.range(0, layers - 1).mapToDouble(layer -> mean(cell, layer)).toArray();
      html.element("td", idle.length == 0 ? "-" : Figures.percent(idle[0]));
      html.element("td", idle.length == 0 ? "-" : Figures.percent(idle[idle.length - 1]));
      html.element("td", idle.length == 0 ? "-" : Figures.percent(Arrays.stream(idle).max().getAsDouble()));
      html.close("tr").line();
    }
    endTable(html);
    html.element("p", "Update over weights: the norm of a further step's change of a layer's weights over the weights' norm. Dead: relu"
        + " units that are 0 on every row of that step. Saturated: values of sigmoid within 0.01, of tanh within 0.02 of a limit. Shares"
        + " are means over the seeds.", "class", "small").line();
    page.endSection();
  }

  private double mean(Cell cell, int layer) {
    return result.of(cell).stream().filter(row -> row.diverged() == 0).mapToDouble(row -> row.idle()[layer]).average()
        .orElse(Double.NaN);
  }
}
