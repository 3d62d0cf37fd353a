package dev.plumb.report;

import dev.plumb.report.RunReport.Classes;
import dev.plumb.report.RunReport.Numbers;
import dev.plumb.report.RunReport.Target;
import dev.plumb.train.Residuals;
import java.util.List;

/** The section of a page on predictions for labeled rows. */
final class PredictionSection {
  private static final int MAX_TARGETS = 4;

  private PredictionSection() {}

  /** @param suffix of the ids, which must be unique on the page */
  static void draw(Page page, RunReport.Predictions predictions, String suffix) {
    Markup html = page.html();
    page.startSection("predictions" + suffix, "Predictions on " + predictions.rows() + " rows"
        + (predictions.rows().equals("training") ? ", seen in training" : ""));
    if (predictions instanceof Classes classes) {
      new ConfusionTable(classes.names(), classes.counts()).draw(html, classes.rows(), "confusion" + suffix);
      classes.judgment().ifPresent(judgment -> {
        html.element("h3", "Predicted probabilities", "class", "table-title").line();
        new JudgmentCharts(classes.names(), judgment, classes.threshold(), suffix).draw(html);
      });
    } else if (predictions instanceof Numbers numbers) {
      draw(html, numbers, suffix);
    }
    page.endSection();
  }

  private static void draw(Markup html, Numbers numbers, String suffix) {
    List<Target> shown = numbers.targets().subList(0, Math.min(MAX_TARGETS, numbers.targets().size()));
    html.open("div", "class", "charts").line();
    for (int i = 0; i < shown.size(); i++) {
      Target target = shown.get(i);
      Scatter scatter = new Scatter("scatter-" + i + suffix, target);
      scatter.draw(html);
      scatter.drawTable(html);
      ResidualChart residuals = new ResidualChart("residuals-" + i + suffix, target.name(),
          Residuals.of(target.actual(), target.predicted()));
      residuals.draw(html);
      residuals.drawTable(html);
    }
    html.close("div").line();
    if (shown.size() < numbers.targets().size()) {
      html.element("p", "Only the first " + MAX_TARGETS + " of " + numbers.targets().size() + " targets are shown.", "class",
          "small").line();
    }
  }
}
