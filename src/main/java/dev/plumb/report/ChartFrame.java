package dev.plumb.report;

import dev.plumb.report.LineChart.Look;
import java.util.List;

/** The frame of a chart: a figure with a heading, an SVG with a description, a legend and a sentence below it. */
final class ChartFrame {
  private ChartFrame() {}

  /**
   * Opens a chart; its content is in the coordinates of the view box.
   *
   * @param style classes of the SVG; null for none
   * @param description replaces the chart for readers who cannot see it
   */
  static void open(Markup html, String id, String style, String title, String description, double width, double height) {
    html.open("figure", "class", "card").line().element("h3", title).line();
    html.open("svg", "class", style, "id", id, "viewBox", "0 0 " + (int) width + " " + (int) height, "role", "img",
        "aria-labelledby", id + "-title " + id + "-desc");
    html.element("title", title, "id", id + "-title").element("desc", description, "id", id + "-desc").line();
  }

  /**
   * Closes a chart.
   *
   * @param legend empty for none
   */
  static void close(Markup html, List<Look> legend, String sentence) {
    html.close("svg").line();
    if (!legend.isEmpty()) {
      LineChart.drawLooks(html, legend);
    }
    html.element("p", sentence, "class", "readout").line();
    html.close("figure").line();
  }
}
