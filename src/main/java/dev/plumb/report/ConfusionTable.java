package dev.plumb.report;

import dev.plumb.train.ConfusionMatrix;
import dev.plumb.train.ConfusionMatrix.Cell;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * A confusion matrix as a table. Cells contain counts and are shaded by their fraction of the row; the diagonal is framed. Only
 * the classes with the most errors are shown if there are many; the others are merged.
 */
final class ConfusionTable {
  private static final int MAX_CLASSES = 24;
  private static final int MAX_PAIRS = 5;

  private final List<String> names;
  private final ConfusionMatrix counts;
  private final long rows;
  private final long correct;

  ConfusionTable(List<String> names, ConfusionMatrix counts) {
    this.names = names;
    this.counts = counts;
    rows = counts.cells().stream().mapToLong(Cell::count).sum();
    correct = counts.cells().stream().filter(cell -> cell.actual() == cell.predicted()).mapToLong(Cell::count).sum();
  }

  /**
   * Draws the table.
   *
   * @param dataName name of the rows: validation, test
   * @param id of the table
   */
  void draw(Markup html, String dataName, String id) {
    html.element("p", Format.whole(correct) + " of " + Format.whole(rows) + " " + dataName + (rows == 1 ? " row" : " rows")
        + " were classified correctly (" + Format.percent((double) correct / rows) + "). " + errors()).line();
    int[] shown = shown();
    boolean merged = shown.length < names.size();
    List<String> labels = new ArrayList<>(Arrays.stream(shown).mapToObj(names::get).toList());
    long[][] cells = merged ? merged(shown) : counts.table();
    if (merged) {
      labels.add("others");
    }
    html.open("div", "class", "card").line();
    html.element("p", "Rows: true class. Columns: predicted class. Recall: fraction of the rows of a class that were predicted"
        + " correctly. Precision: fraction of the predictions of a class that were correct."
        + (merged ? " The " + shown.length + " of " + Format.whole(names.size())
        + " classes with the most errors are shown." : ""), "class", "small", "id", id + "-explained").line();
    html.scrolling("Confusion matrix").line();
    html.open("table", "class", "matrix", "id", id, "aria-describedby", id + "-explained").line();
    html.open("thead").open("tr").element("th", "true \\ predicted", "scope", "col");
    labels.forEach(label -> html.element("th", shortened(label), "scope", "col", "title", shortened(label).equals(label) ? null
        : Page.cut(label)));
    html.element("th", "recall", "scope", "col", "class", "sum").close("thead").line().open("tbody").line();
    for (int actual = 0; actual < cells.length; actual++) {
      long sum = Arrays.stream(cells[actual]).sum();
      html.open("tr").element("th", shortened(labels.get(actual)), "scope", "row");
      for (int predicted = 0; predicted < cells.length; predicted++) {
        double fraction = sum == 0 ? 0 : (double) cells[actual][predicted] / sum;
        html.element("td", Format.whole(cells[actual][predicted]),
            "class", actual == predicted ? "diagonal" : fraction > 0 ? "wrong" : "none",
            "style", fraction > 0 ? String.format(Locale.ROOT, "--share:%.3f", fraction) : null);
      }
      boolean others = merged && actual == shown.length;
      html.element("td", others ? "-" : percent(cells[actual][actual], sum), "class", "sum").close("tr").line();
    }
    html.close("tbody").line().open("tfoot").open("tr").element("th", "precision", "scope", "row", "class", "sum");
    for (int predicted = 0; predicted < cells.length; predicted++) {
      int column = predicted;
      long sum = Arrays.stream(cells).mapToLong(row -> row[column]).sum();
      boolean others = merged && predicted == shown.length;
      html.element("td", others ? "-" : percent(cells[predicted][predicted], sum), "class", "sum");
    }
    html.element("td", "", "class", "sum").close("tfoot").line().close("table").close("div").close("div").line();
  }

  private String errors() {
    List<Cell> pairs = counts.cells().stream().filter(cell -> cell.actual() != cell.predicted())
        .sorted(Comparator.comparingLong((Cell cell) -> -cell.count())).toList();
    if (pairs.isEmpty()) {
      return "There were no errors.";
    }
    return "Most frequent errors: " + String.join(", ", pairs.stream().limit(MAX_PAIRS)
        .map(pair -> shortened(names.get(pair.actual())) + " predicted as " + shortened(names.get(pair.predicted())) + " ("
            + Format.whole(pair.count()) + ")")
        .toList()) + ".";
  }

  private int[] shown() {
    if (names.size() <= MAX_CLASSES) {
      return IntStream.range(0, names.size()).toArray();
    }
    long[] wrong = new long[names.size()];
    for (Cell cell : counts.cells()) {
      if (cell.actual() != cell.predicted()) {
        wrong[cell.actual()] += cell.count();
        wrong[cell.predicted()] += cell.count();
      }
    }
    return IntStream.range(0, names.size())
        .boxed()
        .sorted(Comparator.comparingLong((Integer i) -> -wrong[i]))
        .limit(MAX_CLASSES)
        .sorted()
        .mapToInt(Integer::intValue)
        .toArray();
  }

  /** Returns the counts of the shown classes, with a last row and column for all other classes. */
  private long[][] merged(int[] shown) {
    int[] index = new int[names.size()];
    Arrays.fill(index, shown.length);
    for (int i = 0; i < shown.length; i++) {
      index[shown[i]] = i;
    }
    long[][] merged = new long[shown.length + 1][shown.length + 1];
    for (Cell cell : counts.cells()) {
      merged[index[cell.actual()]][index[cell.predicted()]] += cell.count();
    }
    return merged;
  }

  /** Returns a whole percentage that is 100 % only if the part is the total. */
  private static String percent(long part, long total) {
    long rounded = Math.round(100.0 * part / total);
    return total == 0 ? "-" : rounded == 100 && part < total ? ">99%" : rounded + "%";
  }

  private static String shortened(String name) {
    return name.codePointCount(0, name.length()) > 24 ? name.substring(0, name.offsetByCodePoints(0, 23)) + "…" : name;
  }
}
