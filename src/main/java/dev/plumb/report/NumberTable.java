package dev.plumb.report;

import java.util.List;

/** The numbers of curves as a table behind a line to open it: for exact values, and for those who cannot see the curves. */
final class NumberTable {
  private final String id;
  private final String summary;
  private final List<String> heads;
  private final double[] x;
  private final List<double[]> columns;

  /** @param heads of the first column, which has the whole numbers x, and of the others */
  NumberTable(String id, String summary, List<String> heads, double[] x, List<double[]> columns) {
    this.id = id;
    this.summary = summary;
    this.heads = heads;
    this.x = x;
    this.columns = columns;
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
        html.element("td", Figures.table(column[row]));
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
