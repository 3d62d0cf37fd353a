package dev.plumb.report;

/** The rectangle of a chart that shows values, in the coordinates of the view box: maps values to it, and draws its axes. */
record PlotArea(double left, double right, double top, double bottom) {
  double x(Axis axis, double value) {
    return left + axis.at(value) * (right - left);
  }

  double y(Axis axis, double value) {
    return bottom - axis.at(value) * (bottom - top);
  }

  /** Draws vertical grid lines, and the labels below them that do not overlap. */
  void drawX(Markup html, Axis axis) {
    double lastLabelEnd = Double.NEGATIVE_INFINITY;
    for (Axis.Tick tick : axis.ticks()) {
      double x = x(axis, tick.value());
      html.empty("line", "class", "grid", "x1", x, "x2", x, "y1", top, "y2", bottom);
      double half = tick.label().length() * LineChart.MAX_DIGIT_WIDTH / 2;
      if (x - half > lastLabelEnd) {
        html.element("text", tick.label(), "x", x, "y", bottom + 17, "text-anchor", "middle").line();
        lastLabelEnd = x + half;
      }
    }
  }

  /** Draws horizontal grid lines and their labels on the left. */
  void drawY(Markup html, Axis axis) {
    for (Axis.Tick tick : axis.ticks()) {
      double y = y(axis, tick.value());
      html.empty("line", "class", "grid", "x1", left, "x2", right, "y1", y, "y2", y);
      html.element("text", tick.label(), "x", left - 6, "y", y + 4, "text-anchor", "end").line();
    }
  }

  /** Draws the names of the axes: below the labels, and at the left end of the chart. */
  void drawNames(Markup html, String xName, String yName) {
    html.element("text", xName, "x", (left + right) / 2, "y", bottom + 36, "text-anchor", "middle");
    html.element("text", yName, "x", 0, "y", 0, "text-anchor", "middle",
        "transform", "translate(13 " + (top + bottom) / 2 + ") rotate(-90)").line();
  }
}
