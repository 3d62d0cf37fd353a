package dev.plumb.report;

import dev.plumb.train.Figure;
import dev.plumb.train.ScoreTable;
import dev.plumb.train.Scores;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/**
 * The report of an evaluation of a model on labeled rows.
 *
 * @param title heading of the page: the name of the model
 * @param summary sentences for the top of the page, in lower case and without full stop
 * @param manifest device, model, the command
 */
public record EvaluationReport(String title, List<String> summary, Scores scores, SortedMap<String, String> manifest) {
  private static final int MAX_TILES = 4;

  public EvaluationReport {
    summary = List.copyOf(summary);
  }

  /** Writes the page as HTML; leaves the stream open. */
  public void write(OutputStream out) throws IOException {
    Page page = new Page(title, "Evaluation");
    page.summary(summary.stream().map(sentence -> GridReport.capitalized(sentence) + ".").toList());
    page.tiles(scores.figures().stream().limit(MAX_TILES).map(figure -> Map.entry(figure.label(), Format.score(figure.value()))).toList());
    page.startMain();
    drawScores(page);
    PredictionSection.draw(page, RunReport.predictions("evaluated", scores), "");
    page.entries("manifest", "Manifest", manifest);
    out.write(page.finish());
  }

  private void drawScores(Page page) {
    Markup html = page.html();
    boolean withBaseline = scores.figures().stream().anyMatch(figure -> !Double.isNaN(figure.baseline()));
    page.startSection("scores", "Scores");
    html.open("div", "class", "card").scrolling("Scores").line();
    html.open("table", "class", "numbers", "id", "scores-table").line().open("thead").open("tr");
    html.element("th", "metric", "scope", "col").element("th", "score", "scope", "col");
    if (withBaseline) {
      html.element("th", ScoreTable.BASELINE, "scope", "col");
    }
    html.close("thead").line().open("tbody").line();
    for (Figure figure : scores.figures()) {
      html.open("tr").element("th", figure.label(), "scope", "row").element("td", Format.score(figure.value()));
      if (withBaseline) {
        html.element("td", Format.score(figure.baseline()));
      }
      html.close("tr").line();
    }
    html.close("table").close("div").close("div").line();
    if (withBaseline) {
      html.element("p", GridReport.capitalized(ScoreTable.BASELINE) + ": " + ScoreTable.baseline(scores) + ".", "class", "small").line();
    }
    page.endSection();
  }
}
