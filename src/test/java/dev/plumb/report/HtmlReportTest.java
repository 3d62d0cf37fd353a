package dev.plumb.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.report.RunReport.Classes;
import dev.plumb.report.RunReport.Numbers;
import dev.plumb.report.RunReport.Target;
import dev.plumb.report.StudyReport.Network;
import dev.plumb.report.StudyReport.Run;
import dev.plumb.train.EpochMetrics;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.xpath.XPathConstants;
import javax.xml.xpath.XPathFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

class HtmlReportTest {
  private static final int MAX_BYTES = 2_000_000;

  @Test
  void everyChartHasATitleAndADescription() throws Exception {
    for (String page : List.of(html(SampleReports.classification()), html(SampleReports.regression()),
        html(SampleReports.study(3)), html(SampleReports.classFolds()), html(SampleReports.numberFolds(2)))) {
      Document document = parse(page);
      NodeList drawings = nodes(document, "//svg[not(@aria-hidden)]");
      assertTrue(drawings.getLength() >= 2, "drawings: " + drawings.getLength());
      assertEquals(drawings.getLength(),
          nodes(document, "//svg[@role='img' and string-length(title) > 3 and string-length(desc) > 20]").getLength());
    }
  }

  @Test
  void comparisonShowsScoresDifferencesAndCurves() throws Exception {
    String page = html(SampleReports.comparison(3, "<b>irises</b>"));
    Document document = parse(page);
    assertEquals(0, nodes(document, "//b").getLength());
    NodeList drawings = nodes(document, "//svg[not(@aria-hidden)]");
    assertEquals(4, drawings.getLength(), "intervals, losses and two metrics");
    assertEquals(4, nodes(document, "//svg[@role='img' and string-length(title) > 3 and string-length(desc) > 20]").getLength());
    assertEquals("1 <b>irises</b>-1, validation, 0.1, 0.9, -, 0.7438 to 0.9654, -", row(document, "scores-table", 1));
    assertEquals("2 <b>irises</b>-2, 5 folds, 0.2, 0.92, -, 0.8828 to 0.9572, -", row(document, "scores-table", 2));
    assertEquals("3 <b>irises</b>-3, validation, 0.12, -, 0.91, -, -", row(document, "scores-table", 3));
    assertEquals("learningRate, 0.001, 0.002, 0.003", row(document, "differences-table", 1));
    assertEquals("seed, 0, 1, 2", row(document, "differences-table", 2));
    assertEquals("3 <b>irises</b>-3, 4-100-100-3 relu, 10,903, interrupted, 39 of 60, 6 s, cpu (2 threads)",
        row(document, "runs-table", 3));
    assertEquals("M", nodes(document, "//svg[@id='loss']//g[contains(@class, 'linear')]/path[@class='curve pair train s1']/@d").item(0)
        .getTextContent().substring(0, 1));
    assertEquals(0, nodes(document, "//svg[@id='loss']//path[@class='curve pair s1']").getLength(), "no validation rows");
    assertEquals(60, nodes(document, "//table[@id='epochs-table']/tbody/tr").getLength());
    assertEquals("", nodes(document, "//table[@id='epochs-table']/tbody/tr[41]/td[1]").item(0).getTextContent());
    String notes = nodes(document, "//p[@class='note']").item(0).getTextContent();
    assertTrue(notes.startsWith("Some runs have no validation rows (<b>irises</b>-2); "), notes);
    assertEquals(12, nodes(parse(html(SampleReports.comparison(12, "irises"))), "//table[@id='differences-table']/tbody/tr").getLength(),
        "a row per run");
  }

  static String row(Document document, String table, int row) throws Exception {
    NodeList cells = nodes(document, "//table[@id='" + table + "']/tbody/tr[" + row + "]/*");
    return IntStream.range(0, cells.getLength()).mapToObj(i -> cells.item(i).getTextContent()).collect(Collectors.joining(", "));
  }

  @Test
  void userTextNeverBecomesMarkup() throws Exception {
    Document document = parse(html(SampleReports.hostile()));
    assertEquals(1, nodes(document, "//script").getLength());
    assertEquals(1, nodes(document, "//style").getLength());
    assertEquals(0, nodes(document, "//img | //b").getLength());
    assertTrue(document.getElementsByTagName("h1").item(0).getTextContent()
        .startsWith("</script></style><img src=http://example.invalid/x onerror=alert(1)><b>\"'&"));
    assertFalse(html(SampleReports.hostile()).contains("\u202e"), "right-to-left overrides must not reach the page");
  }

  @Test
  void pageLoadsNothing() throws Exception {
    String page = html(SampleReports.classification());
    Pattern loading = Pattern.compile("(src|href|action)\\s*=|@import|https?:|//[a-z]|fetch\\(|innerHTML|eval\\(");
    assertFalse(loading.matcher(page.replaceAll("(?m)^ *// .*$", "")).find(),
        "the page loads something or turns text into markup");
    assertTrue(page.contains("default-src &#39;none&#39;"));
  }

  @Test
  void longTrainingOfADeepNetworkIsThinnedWithANote() throws Exception {
    String page = html(SampleReports.vanishing(100_000, 50));
    assertTrue(page.getBytes(StandardCharsets.UTF_8).length < MAX_BYTES, page.length() + " characters");
    assertTrue(page.contains(" of 100,000 epochs are shown: "), "note on the selected epochs");
    assertTrue(page.contains("Each column shows the median of 1,786 epochs"), "note on the columns");
  }

  @Test
  void manyClassesTargetsAndNetworksStaySmall() throws Exception {
    int classes = 1000;
    List<String> names = IntStream.range(0, classes).mapToObj(i -> "class " + i).toList();
    long[][] counts = new long[classes][classes];
    for (int i = 0; i < classes; i++) {
      counts[i][i] = 5;
      counts[i][(i + 7) % classes] = i;
    }
    String page = html(with(new Classes("test", names, SampleReports.matrix(counts))));
    assertTrue(page.length() < MAX_BYTES, page.length() + " characters");
    assertTrue(page.contains("The 24 of 1,000 classes with the most errors are shown."));
    assertTrue(page.contains("class 999 predicted as class 6 (999)"), "the most frequent error");

    double[] many = IntStream.range(0, 200_000).mapToDouble(i -> i).toArray();
    page = html(with(new Numbers("test", IntStream.range(0, 20).mapToObj(i -> new Target("t" + i, many, many)).toList())));
    assertTrue(page.length() < MAX_BYTES, page.length() + " characters");
    assertTrue(page.contains("R² 1 · MAE 0 · RMSE 0 over 200,000 rows, of which 1,500 are drawn"));

    Network network = SampleReports.study(1).networks().get(4);
    StudyReport study = new StudyReport("many", List.of(), 1000, List.of(200),
        IntStream.range(0, 2000).mapToObj(i -> network).toList(), new TreeMap<>(), new TreeMap<>());
    page = html(study);
    assertTrue(page.length() < MAX_BYTES, page.length() + " characters");
    assertTrue(page.contains("The curves are those of the first 12 of 2,000 networks."));
  }

  @Test
  void curveHasGapsAtNonFiniteValues() throws Exception {
    List<EpochMetrics> rows = new ArrayList<>();
    double[] losses = {4, 3, Double.NaN, 2, Double.NaN, 1, 0.5};
    for (int i = 0; i < losses.length; i++) {
      rows.add(new EpochMetrics(i + 1, losses[i], Double.NaN, Double.NaN, 0.1, 1, new double[] {1}));
    }
    Document document = parse(html(run(rows, OptionalInt.of(3))));
    String curve = nodes(document,
        "//svg[@id='loss']//g[contains(@class, 'linear')]/path[contains(@class, 'curve')]/@d").item(0).getNodeValue();
    assertEquals(3, curve.chars().filter(c -> c == 'M').count(), curve);
    assertEquals(2, curve.chars().filter(c -> c == 'L').count(), curve);
    String dots = nodes(document,
        "//svg[@id='loss']//g[contains(@class, 'linear')]/path[contains(@class, 'dots')]/@d").item(0).getNodeValue();
    assertEquals(1, dots.chars().filter(c -> c == 'M').count(), "the isolated point: " + dots);
    assertEquals("nan", nodes(document, "//table[@id='epochs-table']/tbody/tr[3]/td[1]").item(0).getTextContent());
    assertEquals(0, nodes(document, "//svg[@id='metric']").getLength(), "a chart without any metric");
  }

  @Test
  void unusualTrainingsHaveAValidReport() throws Exception {
    parse(html(run(List.of(), OptionalInt.empty())));
    parse(html(run(List.of(new EpochMetrics(1, 0, 0, 0, 0, 0, new double[0])), OptionalInt.empty())));
    parse(html(run(List.of(new EpochMetrics(1, Double.NaN, Double.NaN, Double.NaN, 0.1, 0, new double[] {Double.NaN, Double.NaN})),
        OptionalInt.of(1))));
    parse(html(run(List.of(new EpochMetrics(7, 1e308, -1e308, 1e-320, 1e-300, 1e9, new double[] {0, 5e-324, 1e308})),
        OptionalInt.empty())));
    parse(html(run(List.of(
        new EpochMetrics(1, Double.POSITIVE_INFINITY, 1, 1, 1, 1, new double[] {1, Double.POSITIVE_INFINITY}),
        new EpochMetrics(2, -1e308, 1e308, 1, 1, 1, new double[] {0, 0})), OptionalInt.of(1))));
    parse(html(with(new Classes("test", List.of("only"), SampleReports.matrix(new long[][] {{0}})))));
    parse(html(with(new Numbers("test", List.of(new Target("none", new double[0], new double[0]),
        new Target("nan", new double[] {1}, new double[] {Double.NaN}),
        new Target("flat", new double[] {2, 2}, new double[] {2, 2}))))));
    Run dead = new Run(1, new TreeMap<>(), Double.NaN, new double[] {Double.NaN, 0, 0}, 0, OptionalInt.of(1));
    parse(html(new StudyReport("dead", List.of(), 1, List.of(), List.of(new Network("n", "1-1", "relu", List.of(dead)),
        new Network("n", "1-1", "relu", List.of(dead, dead))), new TreeMap<>(), new TreeMap<>())));
  }

  @Test
  void confusionMatrixCountsPredictions() throws Exception {
    Document document = parse(html(with(new Classes("test", List.of("cat", "dog"), SampleReports.matrix(new long[][] {{8, 2}, {1, 3}})))));
    assertEquals("dog", nodes(document, "//table[@id='confusion']/thead/tr/th[3]").item(0).getTextContent());
    assertEquals("2", nodes(document, "//table[@id='confusion']/tbody/tr[1]/td[2]").item(0).getTextContent());
    assertEquals("80%", nodes(document, "//table[@id='confusion']/tbody/tr[1]/td[3]").item(0).getTextContent());
    assertEquals("60%", nodes(document, "//table[@id='confusion']/tfoot/tr/td[2]").item(0).getTextContent());
    assertTrue(nodes(document, "//section[@id='predictions']/p").item(0).getTextContent().startsWith(
        "11 of 14 test rows were classified correctly (78.6 %)."
        + " Most frequent errors: cat predicted as dog (2), dog predicted as cat (1)."));
  }

  @Test
  void successIsNotInTheColorOfAWarning() throws Exception {
    Document document = parse(html(SampleReports.regression()));
    assertEquals(0, nodes(document, "//*[@class='note']").getLength());
    assertEquals("Saved: weights of the best epoch.", nodes(document, "//p[@class='summary']").item(0).getTextContent());
  }

  @Test
  void captionsNameTheEpochWhoseWeightsWereKept() throws Exception {
    Document document = parse(html(SampleReports.classification()));
    for (String chart : List.of("loss", "metric", "rate", "seconds")) {
      String readout = nodes(document, "//output[@id='" + chart + "-readout']").item(0).getTextContent();
      assertTrue(readout.startsWith("epoch 68: "), readout);
    }
    String caption = nodes(document, "//section[@id='training']/p[@class='small']").item(0).getTextContent();
    assertTrue(caption.startsWith("Loss: the loss of this sample. ") && caption.contains("The weights kept are those after epoch 68;"),
        caption);
  }

  @Test
  void keptEpochIsShownAmongVeryManyEpochs() throws Exception {
    RunReport many = SampleReports.vanishing(10_000, 2);
    Document document = parse(html(new RunReport(many.title(), List.of(), List.of(), Optional.empty(), "mean squared error", "score",
        many.epochs(), List.of(), OptionalInt.of(7654), OptionalInt.empty(), List.of(), new TreeMap<>(), new TreeMap<>())));
    String readout = nodes(document, "//output[@id='loss-readout']").item(0).getTextContent();
    assertTrue(readout.startsWith("epoch 7654: "), readout);
    assertEquals(1, nodes(document, "//table[@id='epochs-table']/tbody/tr[th='7654']").getLength());
  }

  @Test
  void cellsOfAGridAreRankedByTheirMedian() throws Exception {
    Document document = parse(html(SampleReports.grid()));
    NodeList medians = nodes(document, "//table[@id='ranking-table']/tbody/tr/td[2]");
    assertEquals(6, medians.getLength());
    List<Double> values = IntStream.range(0, 6).mapToObj(i -> Double.parseDouble(medians.item(i).getTextContent())).toList();
    assertEquals(values.stream().sorted().toList(), values);
    assertTrue(values.get(0) < values.get(5));
    assertEquals(6, nodes(document, "//table[@id='ranking-table']/tbody/tr[contains(td[3], ' to ')]")
        .getLength());
    String best = nodes(document, "//table[@id='ranking-table']/tbody/tr[1]/td[1]").item(0).getTextContent();
    assertTrue(html(SampleReports.grid()).contains("of " + best.replaceFirst("^\\d+\\. ", "") + "; the highest"), best);
  }

  @Test
  void depthStudyHasItsCuresAfterTheNotebooksFindings() throws Exception {
    Document document = parse(html(SampleReports.depth(130)));
    assertEquals(5, nodes(document, "//section[@id='findings']/div[@class='card claim']").getLength());
    assertEquals(11, nodes(document, "//section[@id='cure-findings']/div[@class='card claim']").getLength());
    assertEquals("findings cure-findings cures cure-depths cure-gradients ranking cells", IntStream.range(1, 8)
        .mapToObj(i -> text(document, "//section[" + i + "]/@id")).collect(Collectors.joining(" ")));
    assertEquals(12, nodes(document, "//table[@id='cures-sigmoid']/tbody/tr").getLength());
    assertEquals(12, nodes(document, "//table[@id='cures-relu']/tbody/tr").getLength());
    assertEquals("0.0 %0.0 to 2.9", text(document, "//table[@id='cures-sigmoid']/tbody/tr[th='plain']/td[3]"));
    assertEquals("80.0 %72.3 to 86.0", text(document, "//table[@id='cures-sigmoid']/tbody/tr[th='residual connections']/td[3]"));
    assertEquals("1.5[1.5, 1.5]", text(document, "//table[@id='cures-sigmoid']/tbody/tr[th='residual connections']/td[6]"));
    assertEquals("batch normalization and residual connectionsinitializer he_normal",
        text(document, "//table[@id='cures-relu']/tbody/tr[11]/th"));
    assertEquals(6 * 5, nodes(document, "//table[@id='shares-relu']/tbody//td[@class='share']").getLength());
    assertEquals("--share:0.800", text(document, "//table[@id='shares-sigmoid']/tbody/tr[th='residual connections']/td[1]/@style"));
    assertEquals("0 %0-4", text(document, "//table[@id='shares-sigmoid']/tbody/tr[th='residual connections']/td[5]"));
    assertEquals(8, nodes(document, "//svg[@id='cure-norms-sigmoid-first']/g[1]/path[starts-with(@class, 'curve')]").getLength());
    assertEquals("0.0002441406", text(document, "//table[@id='cure-norms-sigmoid-first-table']/tbody/tr[th='3']/td[1]"));
    assertTrue(text(document, "//section[@id='cure-depths']/p").endsWith("are trained from all seeds, the others from the first 100."));
    assertEquals(5, nodes(document, "//table[@id='cells-table']/tbody/tr").getLength());
    assertTrue(text(document, "//dl").contains("74"));
    assertEquals("2. xavier_normal or he_normal", text(document, "//section[@id='cure-depths']//ul/li[2]").strip());
    assertEquals(12, nodes(parse(html(SampleReports.depth(1))), "//table[@id='cures-relu']/tbody/tr").getLength());
  }

  private static String text(Document document, String path) {
    try {
      return nodes(document, path).item(0).getTextContent();
    } catch (Exception e) {
      throw new AssertionError(path, e);
    }
  }

  @Test
  void crossValidationHasScoresSummaryAndPredictions() throws Exception {
    Document document = parse(html(SampleReports.classFolds()));
    assertEquals(1, nodes(document, "//script").getLength());
    assertEquals(0, nodes(document, "//i | //b").getLength());
    assertEquals(3, nodes(document, "//table[@id='scores-table']/tbody/tr").getLength());
    assertEquals(5, nodes(document, "//table[@id='scores-table']/tfoot/tr").getLength());
    assertEquals("0.325", nodes(document, "//table[@id='scores-table']/tfoot/tr[@class='baseline']/td[5]").item(0).getTextContent());
    assertEquals(3, nodes(document, "//svg[@id='folds-accuracy']//circle").getLength());
    assertEquals(1, nodes(document, "//svg[@id='folds-accuracy']//rect[@class='band s0']").getLength());
    assertTrue(nodes(document, "//p[@class='note']").item(0).getTextContent()
        .startsWith("Column \"code <i>\" determines the target exactly."));
    assertTrue(nodes(document, "//section[@id='predictions']/p").item(0).getTextContent()
        .matches("\\d+ of 120 out-of-fold rows were classified correctly .*"));

    document = parse(html(SampleReports.numberFolds(3)));
    assertEquals(3 * 3 * 2, nodes(document, "//table[@id='scores-table']/tbody/tr").getLength());
    assertEquals("2.1, seed 43", nodes(document, "//table[@id='scores-table']/tbody/tr[8]/th").item(0).getTextContent());
    assertEquals("A row counts once for each repeat and seed.",
        nodes(document, "//section[@id='predictions']/p").item(0).getTextContent());
    assertTrue(nodes(document, "//svg[@id='scatter-0']/desc").item(0).getTextContent().contains(" over 360 rows"));

    document = parse(html(SampleReports.divergedFolds()));
    assertEquals("3 of 3 trainings diverged. Those without scores are not in the means.",
        nodes(document, "//p[@class='note']").item(0).getTextContent());
    assertEquals("no score", nodes(document, "//svg[@id='folds-r2']/text").item(0).getTextContent());
    assertEquals(0, nodes(document, "//section[@id='predictions']").getLength());
  }

  @Test
  void importanceHasABarAndAnIntervalForEachOfTheFirstColumns() throws Exception {
    String page = html(SampleReports.importance(10));
    Document document = parse(page);
    assertFalse(page.contains("\u202e"));
    assertEquals(0, nodes(document, "//b").getLength());
    assertEquals(30, nodes(document, "//svg[@id='importance-bars']//rect[@class='bar']").getLength());
    assertEquals(90, nodes(document, "//svg[@id='importance-bars']//line[@class='interval']").getLength());
    assertEquals("量".repeat(27) + "…", nodes(document, "//text[@class='name']").item(1).getTextContent());
    assertEquals(40, nodes(document, "//table[@id='importance-table']/tbody/tr").getLength());
    assertEquals("The most important column is \"<b>\"'&\uFFFD\": permuting it lowers the accuracy of 0.9625 by 0.288 in the mean of"
        + " 10 repeats. The chart has the first 30 of 40 columns.",
        nodes(document, "//svg[@id='importance-bars']/desc").item(0).getTextContent());
    // Bars end at the axis, on both sides of it.
    double zero = number(document, "//svg[@id='importance-bars']/line[@class='axis']/@x1");
    assertEquals(zero, number(document, "(//rect[@class='bar'])[1]/@x"));
    assertEquals(zero, number(document, "(//rect[@class='bar'])[30]/@x") + number(document, "(//rect[@class='bar'])[30]/@width"), 0.11);
    double first = number(document, "(//rect[@class='bar'])[1]/@width");
    assertEquals(0.138 / 0.288, number(document, "(//rect[@class='bar'])[2]/@width") / first, 0.001);
    Document single = parse(html(SampleReports.importance(1)));
    assertEquals("-", nodes(single, "//table[@id='importance-table']/tbody/tr[1]/td[2]").item(0).getTextContent());
    assertEquals(0, nodes(single, "//line[@class='interval']").getLength());
  }

  private static double number(Document document, String path) throws Exception {
    return Double.parseDouble(nodes(document, path).item(0).getNodeValue());
  }

  private static String html(ImportanceReport report) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    HtmlReport.write(report, out);
    return out.toString(StandardCharsets.UTF_8);
  }

  static String html(CrossValidationReport report) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    report.write(out);
    return out.toString(StandardCharsets.UTF_8);
  }

  private static String html(ComparisonReport report) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    report.write(out);
    return out.toString(StandardCharsets.UTF_8);
  }

  static String html(RunReport report) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    HtmlReport.write(report, out);
    return out.toString(StandardCharsets.UTF_8);
  }

  static String html(StudyReport report) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    HtmlReport.write(report, out);
    return out.toString(StandardCharsets.UTF_8);
  }

  private static String html(GridReport report) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    report.write(out);
    return out.toString(StandardCharsets.UTF_8);
  }

  private static RunReport with(RunReport.Predictions predictions) {
    RunReport report = SampleReports.regression();
    return new RunReport("with", List.of(), List.of(), Optional.empty(), "mean squared error", "score", report.epochs(), List.of(), OptionalInt.empty(), OptionalInt.empty(),
        List.of(predictions), new TreeMap<>(), new TreeMap<>());
  }

  private static RunReport run(List<EpochMetrics> rows, OptionalInt diverged) {
    return new RunReport("odd", List.of(), List.of(), Optional.empty(), "mean squared error", "score", rows, List.of(),
        OptionalInt.empty(), diverged, List.of(), new TreeMap<>(), new TreeMap<>());
  }

  /** Parses a page as XML, which fails for every unclosed element and unescaped value. */
  static Document parse(String page) throws Exception {
    return DocumentBuilderFactory.newInstance().newDocumentBuilder()
        .parse(new ByteArrayInputStream(page.getBytes(StandardCharsets.UTF_8)));
  }

  static NodeList nodes(Document document, String path) throws Exception {
    return (NodeList) XPathFactory.newInstance().newXPath().evaluate(path, document, XPathConstants.NODESET);
  }
}
