package dev.plumb.report;

import static dev.plumb.report.HtmlReportTest.nodes;
import static dev.plumb.report.HtmlReportTest.row;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.model.OptimizerSpec;
import dev.plumb.study.SearchSpace;
import dev.plumb.study.TuningResult;
import dev.plumb.study.TuningResults;
import dev.plumb.study.TuningSpec;
import dev.plumb.train.Metric;
import dev.plumb.train.TrainConfig;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;

class TuningReportTest {
  private static final TrainConfig BASE = TrainConfig.DEFAULT.with(changes -> changes.hidden(32, 32).learningRate(0.002)
      .optimizer(OptimizerSpec.Adam.DEFAULT_W.withWeightDecay(0)));
  private static final SearchSpace SPACE = SearchSpace.parse("""
      {"learningRate": {"log": [1e-3, 1e-2]}, "width": {"choice": [16, 64]}, "weightDecay": {"log": [0.1, 1]},
       "residual": true}""");

  private static TuningSpec spec(int trials) {
    return new TuningSpec(BASE, SPACE, trials, OptionalInt.empty(), 2);
  }

  private static String html(TuningReport report) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    report.write(out);
    return out.toString(StandardCharsets.UTF_8);
  }

  private static String html(TuningResult result) throws IOException {
    return html(SampleReports.tuning("table.csv", result));
  }

  private static String text(Document document, String path) throws Exception {
    assertEquals(1, nodes(document, path).getLength(), path);
    return nodes(document, path).item(0).getTextContent();
  }

  /** Nine candidates in two rungs: candidate 1 wins, 7 is poor, and 8 diverges. */
  private static TuningResult nine() {
    double[] losses = {0.45, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 100, Double.NaN};
    return TuningResults.of(spec(9), 1, 2, List.of(5, 15),
        (candidate, config, rungs, fold, seed) -> losses[candidate] + 0.1 * rungs + 0.02 * fold + 0.001 * seed);
  }

  @Test
  void tablesHaveTheScoresAndTheCost() throws Exception {
    String page = html(nine());
    Document document = HtmlReportTest.parse(page);
    assertEquals("loss, 0.2115, 0.4615", row(document, "winner-table", 1));
    assertEquals("networks, 4 (2 folds, 2 seeds), 4 (2 folds, 2 seeds)", row(document, "winner-table", 3));
    assertEquals("epochs, 15, 15", row(document, "winner-table", 4));
    assertEquals("weight decay, " + nine().candidates().get(1).trainer().training().optimizer().weightDecay() + ", 0",
        row(document, "winner-table", 8));
    assertEquals("1, 5, 9, 0.31, 0.585, 1", row(document, "ladder-table", 1));
    assertEquals("2, 15, 4, 0.21, 0.36, 0", row(document, "ladder-table", 2));
    String first = row(document, "best-table", 1);
    assertTrue(first.startsWith("1 (winner), 0.2115, 0.1931 to 0.2299, 4, 15, "), first);
    assertTrue(row(document, "best-table", 2).startsWith("0 (base), 0.4615, "), row(document, "best-table", 2));
    assertTrue(row(document, "best-table", 5).startsWith("4, 0.61, "), row(document, "best-table", 5));
    assertTrue(row(document, "best-table", 9).startsWith("8, diverged, -, -, "), row(document, "best-table", 9));
    assertEquals(6, nodes(document, "//table[@id='best-table']/tbody/tr[@class='muted']").getLength(), "one seed only");
    assertEquals("rung 1, 18, 82, 45 s", row(document, "cost-table", 1));
    assertEquals("rung 2, 8, 120, 1 min 0 s", row(document, "cost-table", 2));
    assertEquals("more seeds of the finalists, 12, 180, 1 min 30 s", row(document, "cost-table", 3));
    assertEquals("all383823 min 15 s", text(document, "//table[@id='cost-table']/tfoot/tr"));
    assertEquals("1 of 9 candidates has no score, because its training diverged. It is not in the charts.",
        text(document, "//p[@class='note']"));
    assertTrue(text(document, "//pre").startsWith("plumb train table.csv --config '{"), page);
  }

  @Test
  void everyScoredCandidateIsAPointAndAPoorOneIsAtTheEdge() throws Exception {
    Document document = HtmlReportTest.parse(html(nine()));
    List<String> charts = List.of("by-learningRate", "by-width", "by-weightDecay");
    assertEquals(charts.size(), nodes(document, "//*[@id='hyperparameters']//svg[@role='img']").getLength(),
        "only those that differ");
    for (String chart : charts) {
      String points = "//svg[@id='" + chart + "']//g";
      assertEquals(8, nodes(document, points + "/*").getLength(), chart);
      assertEquals("candidate 1: 0.2115, 15 epochs", text(document, points + "/circle[@class='winner']"));
      assertEquals("candidate 0: 0.4615, 15 epochs", text(document, points + "/path[@class='base']"));
      assertEquals(2, nodes(document, points + "/circle[not(@class)]").getLength(), chart + ": trained for all rungs");
      assertEquals(4, nodes(document, points + "/circle[@class='early']").getLength(), chart);
      double edge = Double.parseDouble(text(document, points + "/circle[title[starts-with(., 'candidate 7:')]]/@cy"));
      assertTrue(edge >= 12 && edge < 25, chart + ": at the upper edge: " + edge);
    }
    assertEquals("74", text(document, "//svg[@id='by-weightDecay']/text[. = '0' and @y = '209']/@x"),
        "0 has a column on the left of the logarithmic axis");
    assertTrue(note(document).contains(" 1 score above 0.81 is on the dashed line at the edge."), note(document));
    String dots = text(document, "//svg[@id='ladder-chart']/path[@class='dots early']/@d");
    assertEquals(4, dots.split("M").length - 1, "candidates that ended early and have a score");
    assertEquals(4, text(document, "//svg[@id='ladder-chart']/path[@class='dots s0']/@d").split("M").length - 1);
    assertEquals("1 0 2 3 4 5 6", intervals(document), "candidates 7 and 8 are only in the table");
  }

  private static String note(Document document) throws Exception {
    return text(document, "//*[@id='hyperparameters']/p[@class='small']");
  }

  private static String intervals(Document document) throws Exception {
    StringBuilder labels = new StringBuilder();
    var texts = nodes(document, "//svg[@id='intervals']/text[contains(@class, 'end')]");
    for (int i = 0; i < texts.getLength(); i++) {
      labels.append(i == 0 ? "" : " ").append(texts.item(i).getTextContent());
    }
    return labels.toString();
  }

  /** The winner is a base candidate; there is one rung, so no ladder to draw. */
  @Test
  void heldOutRowsAndAHigherScoreIsBetter() throws Exception {
    String page = html(SampleReports.heldOutTuning());
    Document document = HtmlReportTest.parse(page);
    assertEquals("accuracy, 0.976", row(document, "winner-table", 1));
    assertEquals("networks, 2 (2 seeds)", row(document, "winner-table", 3));
    assertTrue(page.contains("No drawn finalist is better than the configuration without a search by more than 1.5 standard errors."));
    assertTrue(page.contains("the best of 4 candidates, with the weight decays and dropouts that plumb train chooses from"));
    assertEquals(0, nodes(document, "//svg[@id='ladder-chart']").getLength());
    assertEquals("1, 30, 20, 0.97, 0.9285, 0", row(document, "ladder-table", 1));
    assertTrue(note(document).contains("higher is better. 1 score below 0.903 is on the dashed line at the edge."), note(document));
    String points = "//svg[@id='by-activation']//circle";
    double best = Double.parseDouble(text(document, points + "[@class='winner']/@cy"));
    double poor = Double.parseDouble(text(document, points + "[title[starts-with(., 'candidate 7:')]]/@cy"));
    assertTrue(best < 25 && poor > 180, best + ", " + poor);
    assertEquals(20, nodes(document, "//svg[@id='by-activation']//g/*").getLength());
  }

  @Test
  void intervalIsCutAtTheLimitsOfTheMetric() throws Exception {
    TuningSpec accuracy = new TuningSpec(BASE.with(changes -> changes.watch(Metric.ACCURACY)), SPACE, 4, OptionalInt.empty(), 1);
    Document document = HtmlReportTest.parse(html(TuningResults.of(accuracy, 1, 2, List.of(5),
        (candidate, config, rungs, fold, seed) -> 0.8 + 0.2 * fold)));
    assertTrue(row(document, "winner-table", 2).endsWith(" to 1"), row(document, "winner-table", 2));
  }

  @Test
  void singleCandidateHasNoHyperparametersToCompare() throws Exception {
    Document document = HtmlReportTest.parse(html(TuningResults.of(spec(1), 1, 5, List.of(3),
        (candidate, config, rungs, fold, seed) -> 0.3)));
    assertEquals(0, nodes(document, "//*[@id='hyperparameters']").getLength());
    assertEquals("loss, 0.3", row(document, "winner-table", 1));
    assertEquals("0 (winner, base), 0.3, 0.3 to 0.3, 5, 3", row(document, "best-table", 1));
    assertEquals(0, nodes(document, "//tr[@class='muted']").getLength(), "there are no finalists");
    assertEquals(0, nodes(document, "//*[contains(., 'finalist')]").getLength());
  }

  @Test
  void divergedSearchHasTablesOnly() throws Exception {
    Document document = HtmlReportTest.parse(html(TuningResults.of(spec(4), 1, 2, List.of(5, 15),
        (candidate, config, rungs, fold, seed) -> Double.NaN)));
    assertEquals("The trainings of all candidates diverged. Use a space with lower learning rates or --clip-norm 1.",
        text(document, "//p[@class='note']"));
    assertEquals(0, nodes(document, "//svg | //pre").getLength());
    assertEquals("loss, diverged", row(document, "winner-table", 1));
    assertEquals("1, 5, 4, -, -, 4", row(document, "ladder-table", 1));
  }

  @Test
  void manyCandidatesAreASmallPage() throws Exception {
    String page = html(TuningResults.of(spec(5000), 1, 1, List.of(5, 15), (candidate, config, rungs, fold, seed) ->
        1 + 1000 * config.trainer().training().learningRate()));
    assertTrue(page.length() < 700_000, page.length() + " characters");
    assertTrue(Pattern.compile("Only 60[0-4] of 5,000 candidates are drawn.").matcher(page).find(), "points and finalists");
    assertTrue(page.contains("Only 1,500 of 5,000 candidates are drawn."), "lines");
  }

  @Test
  void textOfUsersIsEscaped() throws Exception {
    String page = html(SampleReports.tuning());
    assertEquals(0, nodes(HtmlReportTest.parse(page), "//b").getLength());
    assertFalse(page.contains("NaN"), "numbers without a value");
  }
}
