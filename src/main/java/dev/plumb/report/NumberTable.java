package dev.plumb.report;

import java.util.List;

/** The values of curves as a table in a collapsed section: exact values, also for readers who cannot see the curves. */
final class NumberTable {
  private final String id;
  private final String summary;
  private final List<String> heads;
  private final double[] x;
  private final List<double[]> columns;
  private boolean empty;

  /** @param heads headings of the first column, which contains x as whole numbers, and of the others */
  NumberTable(String id, String summary, List<String> heads, double[] x, List<double[]> columns) {
    this.id = id;
    this.summary = summary;
    this.heads = heads;
    this.x = x;
    this.columns = columns;
  }

  /** Leaves the cells of NaN empty: a curve has no value there. */
  NumberTable emptyWithoutValue() {
    empty = true;
    return this;
  }

  void draw(Markup html, String note) {
    html.open("details").line().element("summary", summary).line();
    html.scrolling(summary).line();
    html.open("table", "class", "numbers", "id", id).line().open("thead").open("tr");
    heads.forEach(head -> html.element("th", head, "scope", "col"));
    html.close("thead").line().open("tbody").line();
    for (int row = 0; row < x.length; row++) {
      html.open("tr").element("th", Long.toString((long) x[row]), "scope", "row");
      for (double[] column : columns) {
        html.element("td", empty && Double.isNaN(column[row]) ? "" : Format.table(column[row]));
      }
      html.close("tr").line();
    }
    html.close("table").close("div").line();
    if (!note.isEmpty()) {
      html.element("p", note, "class", "small").line();
    }
    html.close("details").line();
  }
}
