package dev.plumb.report;

import dev.plumb.report.LineChart.Series;
import dev.plumb.study.DepthCures;
import dev.plumb.study.Finding;
import dev.plumb.study.StudyResult;
import dev.plumb.study.TrialRow;
import dev.plumb.study.Study;
import dev.plumb.study.StudyData;
import dev.plumb.study.Study.Cell;
import dev.plumb.study.Quartiles;
import dev.plumb.train.Metric;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** The report of a grid study of gradient flow: findings, cells, losses, depth, gradient norms, and inactive units. */
public final class GridReport {
  private static final int MAX_LISTED = 500;
  private static final int MAX_CHARTS = 12;
  private static final int MAX_CURVES = 8;

  private final StudyResult result;
  private final Study study;
  private final Optional<StudyData.Table> table;
  private final List<Finding> findings;
  private final Optional<DepthCures> cures;
  private final SortedMap<String, String> manifest;
  private final int[] epochs;

  /**
   * Creates the report of a grid or of the depth study.
   *
   * @param result of the grid, or of the notebook's networks in the depth study
   * @param findings about this result
   * @param cures the second part of the depth study
   * @param manifest versions and device
   */
  public GridReport(StudyResult result, List<Finding> findings, Optional<DepthCures> cures, SortedMap<String, String> manifest) {
    this.result = result;
    this.findings = findings;
    this.cures = cures;
    this.manifest = manifest;
    study = result.study();
    table = study.table();
    epochs = study.curveEpochs().stream().mapToInt(Integer::intValue).toArray();
  }

  /** Writes the page as HTML; leaves the stream open. */
  public void write(OutputStream out) throws IOException {
    Page page = new Page(study.name(), study.isDetailed() ? "Gradient flow" : "Study on a table");
    StudyResult whole = cures.map(DepthCures::result).orElse(result);
    page.tiles(List.of(
        Map.entry("cells", Format.whole(whole.study().cells().size())),
        Map.entry("seeds", Format.whole(study.seeds())),
        Map.entry("networks", Format.whole(whole.finished())),
        Map.entry("diverged", Format.whole(whole.diverged())),
        Map.entry("epochs", Format.whole(study.training().epochs())),
        Map.entry("training time", Format.seconds(
            Arrays.stream(whole.rows()).filter(row -> row != null).mapToDouble(TrialRow::seconds).sum()))));
    page.startMain();
    drawFindings(page, "findings", "Findings", findings);
    cures.ifPresent(of -> {
      drawFindings(page, "cure-findings", "Findings about cures", of.findings());
      new CureSections(of).draw(page);
    });
    ranking().draw(page, GridReport::label);
    drawCells(page);
    drawLosses(page);
    drawDepth(page);
    if (study.isDetailed()) {
      drawNorms(page);
      drawUnits(page);
    }
    page.entries("configuration", "Configuration", StudyReport.configuration(whole.study()));
    page.entries("manifest", "Manifest", manifest);
    out.write(page.finish());
  }

  private static String label(Cell cell) {
    String name = cell.name();
    boolean isLong = name.codePointCount(0, name.length()) > 40;
    return cell.index() + 1 + ". " + (isLong ? name.substring(0, name.offsetByCodePoints(0, 39)) + "…" : name);
  }

  private static void drawFindings(Page page, String id, String heading, List<Finding> findings) {
    if (findings.isEmpty()) {
      return;
    }
    Markup html = page.html();
    page.startSection(id, heading);
    for (Finding finding : findings) {
      html.open("div", "class", "card claim").line();
      html.open("h3").text(finding.claim());
      if (finding.verdict() != Finding.Verdict.MEASURED) {
        html.text(" ").element("span", finding.verdict().words(), "class", "verdict");
      }
      html.close().line().element("p", finding.measured()).close().line();
    }
    html.element("p", "Values are medians over the networks that did not diverge, with quartiles in brackets. Proportions have"
        + " their 95 % confidence interval.", "class", "small").line();
    page.endSection();
  }

  private List<Cell> listed() {
    return study.cells().subList(0, Math.min(MAX_LISTED, study.cells().size()));
  }

  static void startTable(Markup html, String id, List<String> heads, int textColumns) {
    html.open("div", "class", "card").scrolling(heads.get(0)).line();
    html.open("table", "class", "numbers wrapped", "id", id).line().open("thead").open("tr");
    for (int i = 0; i < heads.size(); i++) {
      html.element("th", heads.get(i), "scope", "col", "class", i < textColumns ? "word" : null);
    }
    html.close("thead").line().open("tbody").line();
  }

  static void endTable(Markup html) {
    html.close("table").close("div").close("div").line();
  }

  private void drawCells(Page page) {
    Markup html = page.html();
    page.startSection("cells", "Cells");
    // The name of a cell of a grid consists of its layers and what differs between the cells.
    boolean named = study.cells().stream().anyMatch(cell -> !cell.name().startsWith(cell.network().shape()));
    List<String> heads = new ArrayList<>(List.of("cell"));
    if (named) {
      heads.addAll(List.of("layers", "activation", "weights", "learning rate"));
    }
    heads.addAll(List.of("seeds", "diverged", scoreName(), mainName(), study.isDetailed() ? "grad norm last" : "best epoch"));
    startTable(html, "cells-table", heads, named ? 4 : 1);
    for (Cell cell : listed()) {
      List<TrialRow> rows = result.of(cell);
      long diverged = rows.stream().filter(row -> row.diverged() > 0).count();
      html.open("tr").element("th", label(cell), "scope", "row");
      if (named) {
        html.element("td", cell.network().shape(), "class", "word")
            .element("td", cell.network().description(), "class", "word").element("td", cell.initializer().key(), "class", "word")
            .element("td", Format.brief(cell.learningRate()));
      }
      html.element("td", Format.whole(rows.size())).element("td", Format.percent(diverged / (double) rows.size()));
      spread(html, cell, TrialRow::finalLoss);
      if (table.isPresent()) {
        spread(html, cell, row -> row.scores()[table.get().indexOf(table.get().mainMetric())]);
        spread(html, cell, TrialRow::bestEpoch);
      } else {
        spread(html, cell, TrialRow::gradientNormFirst);
        spread(html, cell, TrialRow::gradientNormLast);
      }
      html.close("tr").line();
    }
    endTable(html);
    html.element("p", lossNote(), "class", "small").line();
    if (study.cells().size() > MAX_LISTED) {
      html.element("p", "Only the first " + MAX_LISTED + " cells are listed; --csv writes every network.", "class", "small")
          .line();
    }
    page.endSection();
  }

  private CellRanking ranking() {
    if (table.isEmpty()) {
      return new CellRanking(result, scoreName(), TrialRow::finalLoss, false);
    }
    Metric metric = table.get().mainMetric();
    int index = table.get().indexOf(metric);
    return new CellRanking(result, mainName(), row -> row.scores()[index], metric.isHigherBetter());
  }

  /** Returns the name and unit of the loss, and a warning if the scores are those of the training rows. */
  private String lossNote() {
    return table.map(of -> "Loss: " + of.lossName() + "."
        + (of.judgedRows().equals("training") ? " All scores are those of the training rows, seen in training." : ""))
        .orElse("Loss: " + study.training().loss().key() + ".");
  }

  private String scoreName() {
    return table.map(of -> of.judgedRows() + " loss").orElse("final loss");
  }

  private String mainName() {
    return table.map(of -> of.judgedRows() + " " + of.mainMetric().label()).orElse("grad norm L1");
  }

  private void spread(Markup html, Cell cell, ToDoubleFunction<TrialRow> value) {
    Quartiles quartiles = result.quartiles(cell, value);
    spread(html, quartiles, study.seeds() > 1);
  }

  /** Adds a table cell with the median, and with the quartiles below it if there are several seeds; "-" if there is no value. */
  static void spread(Markup html, Quartiles quartiles, boolean severalSeeds) {
    boolean known = !Double.isNaN(quartiles.median());
    html.open("td").text(known ? Format.brief(quartiles.median()) : "-");
    if (severalSeeds && known) {
      html.element("div", "[" + Format.brief(quartiles.low()) + ", " + Format.brief(quartiles.high()) + "]", "class", "small");
    }
    html.close("td");
  }

  /**
   * Returns groups of cells that differ only in depth. If a group would contain two cells of the same depth, the cells are also
   * grouped by the width of the first hidden layer.
   */
  private Map<String, List<Cell>> families() {
    Map<String, List<Cell>> groups = families(false);
    boolean ambiguous = groups.values().stream()
        .anyMatch(family -> family.stream().map(GridReport::depth).distinct().count() < family.size());
    return ambiguous ? families(true) : groups;
  }

  private Map<String, List<Cell>> families(boolean byWidth) {
    boolean initializers = study.cells().stream().map(Cell::initializer).distinct().count() > 1;
    boolean rates = study.cells().stream().map(Cell::learningRate).distinct().count() > 1;
    Map<String, List<Cell>> families = new LinkedHashMap<>();
    for (Cell cell : study.cells()) {
      String name = cell.network().description() + (initializers ? ", " + cell.initializer().key() : "")
          + (rates ? ", learning rate " + Format.brief(cell.learningRate()) : "")
          + (byWidth ? ", width " + cell.network().widths().get(1) : "");
      families.computeIfAbsent(name, key -> new ArrayList<>()).add(cell);
    }
    return families;
  }

  static String capitalized(String text) {
    return text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1);
  }

  private static int depth(Cell cell) {
    return cell.network().layerCount() - 1;
  }

  /** Draws the losses. The loss at an epoch is that before its updates, so it is drawn at the number of completed epochs. */
  private void drawLosses(Page page) {
    Markup html = page.html();
    page.startSection("losses", "Losses");
    // A table's training losses are means over the epoch's steps, and there is none after the last one.
    double[] x = table.isPresent() ? Arrays.stream(epochs).asDoubleStream().toArray()
        : IntStream.concat(Arrays.stream(epochs).map(epoch -> epoch - 1), IntStream.of(study.training().epochs()))
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
        Quartiles[] losses = new Quartiles[x.length];
        Arrays.setAll(losses, i -> result.quartiles(cell, row -> i < epochs.length ? row.losses()[i] : row.finalLoss()));
        series.add(series(Integer.toString(cell.index() + 1), series.size() + 1, losses));
      }
      String id = "losses-" + chart++;
      String title = (table.isPresent() ? "Training loss, " : "Loss, ") + family.getKey();
      new LineChart(id, title, "completed epochs", x, series, id + "-table").withShortLabels().draw(html);
      List<String> heads = new ArrayList<>(List.of("completed epochs"));
      drawn.forEach(cell -> heads.add(label(cell)));
      tables.add(new NumberTable(id + "-table", "Table of median losses, " + family.getKey(), heads, x,
          series.stream().map(Series::values).toList()));
    }
    html.close("div").line();
    html.element("p", "Medians over the seeds, numbered like the cells above; bands show the interquartile range."
        + (chart == MAX_CHARTS ? " At most " + MAX_CHARTS + " charts are shown." : ""), "class", "small").line();
    tables.forEach(table -> table.draw(html, ""));
    page.endSection();
  }

  static Series series(String name, int column, Quartiles[] values) {
    return new Series(name, column, Arrays.stream(values).mapToDouble(Quartiles::median).toArray(),
        Arrays.stream(values).mapToDouble(Quartiles::low).toArray(), Arrays.stream(values).mapToDouble(Quartiles::high).toArray());
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
        Quartiles[] losses = new Quartiles[x.length];
        Arrays.setAll(losses, i -> cells.stream().filter(cell -> depth(cell) == (int) x[i]).findFirst()
            .map(cell -> result.quartiles(cell, TrialRow::finalLoss)).orElse(Quartiles.of(new double[0])));
        series.add(series(Integer.toString(series.size() + 1), series.size() + 1, losses));
      }
    });
    Markup html = page.html();
    page.startSection("depth", capitalized(scoreName()) + " by depth");
    html.open("div", "class", "charts").line();
    new LineChart("depth-chart", capitalized(scoreName()) + " by depth", "hidden layers", x, series, "depth-table")
        .withPoints().withShortLabels().draw(html);
    html.close("div").line();
    List<String> names = families.keySet().stream().limit(series.size()).toList();
    LineChart.drawKey(html, IntStream.range(0, names.size()).mapToObj(i -> i + 1 + ". " + names.get(i)).toList());
    List<String> heads = new ArrayList<>(List.of("hidden layers"));
    heads.addAll(names);
    new NumberTable("depth-table", "Table of medians, " + scoreName(), heads, x, series.stream().map(Series::values).toList())
        .draw(html, families.size() > series.size() ? "Only the first " + MAX_CURVES + " groups are shown." : "");
    page.endSection();
  }

  private void drawNorms(Page page) {
    Markup html = page.html();
    page.startSection("gradients", "Gradient norms by layer and epoch");
    html.element("p", "Frobenius norm of each layer's weight gradient in the last step of the epoch, median over the seeds. Epochs"
        + " are not evenly spaced.", "class", "small").line();
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
      map.draw(html, label(cell), "Gradient norm by layer (rows) and epoch (columns).");
      maps.add(map);
    }
    html.close("div").line();
    for (int i = 0; i < shown.length; i++) {
      maps.get(i).drawTable(html, "Table of gradient norms, " + label(study.cells().get(shown[i])));
    }
    if (shown.length < study.cells().size()) {
      html.element("p", shown.length + " of " + Format.whole(study.cells().size()) + " cells are shown, evenly spaced.", "class",
          "small").line();
    }
    page.endSection();
  }

  private void drawUnits(Page page) {
    Markup html = page.html();
    page.startSection("units", "Weight updates and inactive units at the end");
    startTable(html, "units-table", List.of("cell", "update ratio, L1", "last hidden", "output", "dead or saturated, L1",
        "last hidden", "worst layer"), 1);
    for (Cell cell : listed()) {
      int layers = cell.network().layerCount();
      html.open("tr").element("th", label(cell), "scope", "row");
      spread(html, cell, row -> row.updateRatios()[0]);
      spread(html, cell, row -> layers < 2 ? Double.NaN : row.updateRatios()[layers - 2]);
      spread(html, cell, row -> row.updateRatios()[layers - 1]);
      double[] idle = IntStream.range(0, layers - 1).mapToDouble(layer -> mean(cell, layer)).toArray();
      html.element("td", idle.length == 0 ? "-" : Format.percent(idle[0]));
      html.element("td", idle.length == 0 ? "-" : Format.percent(idle[idle.length - 1]));
      html.element("td", idle.length == 0 ? "-" : Format.percent(Arrays.stream(idle).max().getAsDouble()));
      html.close("tr").line();
    }
    endTable(html);
    html.element("p", "Update ratio: norm of one more step's update of a layer's weights, divided by the norm of the weights."
        + " Dead: relu units that are 0 on every row of that step. Saturated: sigmoid outputs within 0.01, tanh outputs within 0.02"
        + " of a limit. Percentages are means over the seeds.", "class", "small").line();
    page.endSection();
  }

  private double mean(Cell cell, int layer) {
    return result.of(cell).stream().filter(row -> row.diverged() == 0).mapToDouble(row -> row.idle()[layer]).average()
        .orElse(Double.NaN);
  }
}
