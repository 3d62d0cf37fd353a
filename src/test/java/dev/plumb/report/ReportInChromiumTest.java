package dev.plumb.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests of the reports in a browser. Screenshots of all pages are written to target/report-screenshots. */
class ReportInChromiumTest {
  private static final Path SCREENSHOTS = Path.of("target", "report-screenshots");

  /** JavaScript: width and height of a chart, and the larger extent of its curves, cells or points. */
  private static final String DRAWN = """
      (chart => {
        const shown = Array.from(chart.querySelectorAll('path.curve, path.dots, g.cells, g.points, tbody'))
            .filter(part => part.getClientRects().length > 0)
            .map(part => part.getBoundingClientRect());
        const extent = (from, to) => Math.max(...shown.map(box => box[to])) - Math.min(...shown.map(box => box[from]));
        const box = chart.getBoundingClientRect();
        return [box.width, box.height, Math.max(extent('left', 'right'), extent('top', 'bottom'))];
      })(document.getElementById('ID'))""";

  /** JavaScript: texts in charts that overlap, extend beyond their box, or are too small to read. */
  private static final String BADLY_PLACED_TEXT = """
      Array.from(document.querySelectorAll('svg')).flatMap(svg => {
        const card = svg.closest('figure, ul').getBoundingClientRect();
        const texts = Array.from(svg.querySelectorAll('text')).filter(text => text.getClientRects().length > 0);
        return texts.flatMap((text, i) => {
          const box = text.getBoundingClientRect();
          const bad = [];
          if (box.left + 0.5 < card.left || box.right - 0.5 > card.right) bad.push('is outside of its box');
          const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
          if (parseFloat(getComputedStyle(text).fontSize) * scale < 10) bad.push('is too small');
          for (const other of texts.slice(i + 1)) {
            const second = other.getBoundingClientRect();
            const across = Math.min(box.right, second.right) - Math.max(box.left, second.left);
            const down = Math.min(box.bottom, second.bottom) - Math.max(box.top, second.top);
            if (across > 1 && down > 5) bad.push('overlaps ' + other.textContent);
          }
          return bad.map(problem => svg.id + ': ' + text.textContent + ' ' + problem);
        });
      })""";

  /** JavaScript: ids of the tables that are wider than their box. */
  private static final String WIDE = "Array.from(document.querySelectorAll('.scroll'))"
      + ".filter(box => box.scrollWidth > box.clientWidth).map(box => box.querySelector('table').id)";

  private static Path folder;
  private static Chromium chromium;

  /** The sample pages, with the ids of their charts and tables. */
  enum Sample {
    CLASSIFICATION(List.of("scores-table", "loss", "metric", "rate", "seconds", "gradients-map", "gradients-profile", "confusion",
        "importance-bars", "importance-table")),
    REGRESSION(List.of("scores-table", "loss", "metric", "rate", "seconds", "gradients-map", "gradients-profile", "scatter-0",
        "residuals-0", "residuals-0-table")),
    VANISHING(List.of("loss", "metric", "rate", "seconds", "gradients-map", "gradients-profile")),
    LONG_AND_DEEP(List.of("loss", "metric", "rate", "seconds", "gradients-map", "gradients-profile")),
    DIVERGED(List.of("loss", "metric", "rate", "seconds", "gradients-map", "gradients-profile")),
    HOSTILE(List.of("loss", "metric", "rate", "seconds", "gradients-map", "gradients-profile", "confusion")),
    STUDY(List.of("results-table", "losses-chart", "ranking", "norms")),
    STUDY_OF_SEEDS(List.of("results-table", "losses-chart", "ranking", "norms")),
    CLASS_FOLDS(List.of("folds-accuracy", "folds-loss", "scores-table", "confusion")),
    NUMBER_FOLDS(List.of("folds-r2", "folds-loss", "scores-table", "scatter-0", "scatter-0-table")),
    DIVERGED_FOLDS(List.of("scores-table")),
    IMPORTANCE(List.of("importance-bars", "importance-table")),
    COMPARISON(List.of("intervals", "scores-table", "differences-table", "loss", "metric-accuracy", "metric-macro_f1",
        "runs-table")),
    COMPARISON_OF_MANY(COMPARISON.charts),
    TWO_CLASSES(List.of("scores-table", "confusion", "roc", "precision-recall", "reliability", "thresholds")),
    THREE_CLASSES(List.of("scores-table", "confusion", "roc", "precision-recall", "reliability")),
    GRID(List.of("ranking-table", "cells-table", "losses-0", "losses-1", "depth-chart", "norms-0", "norms-5", "units-table")),
    DEPTH(List.of("cures-sigmoid", "cures-relu", "shares-sigmoid", "shares-relu", "cure-losses-sigmoid", "cure-losses-relu",
        "cure-norms-sigmoid-first", "cure-norms-sigmoid-last", "cure-norms-relu-first", "cure-norms-relu-last", "ranking-table",
        "cells-table", "norms-4", "units-table")),
    TUNING(List.of("winner-table", "ladder-chart", "ladder-table", "by-learningRate", "by-width", "by-depth", "by-activation",
        "by-weightDecay", "by-dropout", "by-batchSize", "by-normalization", "by-residual", "intervals", "best-table", "cost-table")),
    HELD_OUT_TUNING(List.of("winner-table", "ladder-table", "by-activation", "by-dropout", "by-batchSize", "intervals",
        "best-table", "cost-table"));

    private final List<String> charts;

    Sample(List<String> charts) {
      this.charts = charts;
    }

    void write(OutputStream out) throws IOException {
      switch (this) {
        case CLASSIFICATION -> HtmlReport.write(SampleReports.classification().withImportance(
            Optional.of(new RunReport.RowsImportance("test", SampleReports.importance(5).importance()))), out);
        case REGRESSION -> HtmlReport.write(SampleReports.regression(), out);
        case VANISHING -> HtmlReport.write(SampleReports.vanishing(3000, 12), out);
        case LONG_AND_DEEP -> HtmlReport.write(SampleReports.vanishing(100_000, 50), out);
        case DIVERGED -> HtmlReport.write(SampleReports.diverged(), out);
        case HOSTILE -> HtmlReport.write(SampleReports.hostile(), out);
        case STUDY -> HtmlReport.write(SampleReports.study(1), out);
        case CLASS_FOLDS -> SampleReports.classFolds().write(out);
        case NUMBER_FOLDS -> SampleReports.numberFolds(3).write(out);
        case DIVERGED_FOLDS -> SampleReports.divergedFolds().write(out);
        case IMPORTANCE -> HtmlReport.write(SampleReports.importance(10), out);
        case COMPARISON -> SampleReports.comparison(3, "irises").write(out);
        case COMPARISON_OF_MANY -> SampleReports.comparison(12, "irises-with-a-rather-long-name").write(out);
        case TWO_CLASSES -> SampleReports.twoClasses().write(out);
        case THREE_CLASSES -> SampleReports.threeClasses().write(out);
        case GRID -> SampleReports.grid().write(out);
        case DEPTH -> SampleReports.depth(130).write(out);
        case TUNING -> SampleReports.tuning().write(out);
        case HELD_OUT_TUNING -> SampleReports.heldOutTuning().write(out);
        case STUDY_OF_SEEDS -> HtmlReport.write(SampleReports.study(5), out);
      }
    }
  }

  @BeforeAll
  static void start() throws Exception {
    folder = Files.createTempDirectory("plumb-report");
    chromium = new Chromium(Files.createDirectory(folder.resolve("profile")));
  }

  @AfterAll
  static void stop() throws Exception {
    if (chromium != null) {
      chromium.close();
    }
    try (var files = Files.walk(folder)) {
      files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyChartIsDrawnAtEveryWidthInLightAndDark(Sample sample) throws Exception {
    Path file = write(sample);
    for (int width : new int[] {1280, 400}) {
      for (boolean dark : new boolean[] {false, true}) {
        String variant = sample + ", " + width + " px, " + (dark ? "dark" : "light");
        chromium.open(file, width, dark);
        chromium.screenshot(SCREENSHOTS.resolve(
            sample.name().toLowerCase(Locale.ROOT) + "-" + width + "-" + (dark ? "dark" : "light") + ".png"));
        assertEquals(List.of(), chromium.complaints(), variant);
        assertEquals(List.of(file.toUri().toString()), chromium.requests(), variant);
        for (String chart : sample.charts) {
          JsonNode size = chromium.evaluate(DRAWN.replace("ID", chart));
          assertTrue(size.get(0).asDouble() > 150 && size.get(1).asDouble() > 40, variant + ": " + chart + " is " + size);
          assertTrue(size.get(2).asDouble() > 100, variant + ": the content of " + chart + " is " + size);
        }
        assertEquals(width, chromium.evaluate("document.documentElement.scrollWidth").asInt(), variant + ": wider than the window");
        assertEquals("[]", chromium.evaluate(BADLY_PLACED_TEXT).toString(), variant);
        assertEquals(dark ? "rgb(17, 22, 28)" : "rgb(244, 246, 248)", background(), variant);
      }
    }
  }

  /** Tables fit a desktop; on a phone, wide ones scroll inside of their box, but the ranking of a grid fits. */
  @ParameterizedTest
  @EnumSource(names = {"CLASSIFICATION", "REGRESSION", "STUDY", "STUDY_OF_SEEDS", "CLASS_FOLDS", "NUMBER_FOLDS", "IMPORTANCE",
      "COMPARISON", "TWO_CLASSES", "THREE_CLASSES", "GRID", "TUNING", "HELD_OUT_TUNING"})
  void tablesAreNotCutOff(Sample sample) throws Exception {
    chromium.open(write(sample), 1280, false);
    assertEquals("[]", chromium.evaluate(WIDE).toString());
    if (sample == Sample.GRID) {
      chromium.open(write(sample), 400, false);
      String atPhone = chromium.evaluate(WIDE).toString();
      assertTrue(!atPhone.contains("ranking") && atPhone.contains("units-table"), atPhone);
      chromium.evaluate("document.getElementById('units-table').parentElement.scrollLeft = 1000");
      assertTrue(chromium.evaluate("document.getElementById('units-table').parentElement.scrollLeft").asInt() > 20, atPhone);
    }
  }

  @Test
  void pointerOnACurveShowsTheValuesOfThatEpoch() throws Exception {
    chromium.open(write(Sample.CLASSIFICATION), 1280, false);
    String before = readout("loss");
    assertTrue(before.startsWith("epoch 68: train = 0.0"), "shows the epoch whose weights were kept: " + before);
    JsonNode at = chromium.evaluate("""
        (svg => {
          const box = svg.getBoundingClientRect();
          const x = Number(svg.dataset.left) + (40 - 1) / (120 - 1) * (svg.dataset.right - svg.dataset.left);
          return [box.left + x * box.width / svg.viewBox.baseVal.width, box.top + box.height / 2];
        })(document.getElementById('loss'))""");
    chromium.moveMouse(at.get(0).asDouble(), at.get(1).asDouble());
    JsonNode row = chromium.evaluate(
        "Array.from(document.querySelectorAll('#epochs-table tbody tr')[39].cells, cell => cell.textContent)");
    assertEquals("epoch 40: training loss = " + row.get(1).asText() + " · validation loss = " + row.get(2).asText(),
        readout("loss"));
    assertEquals("40", row.get(0).asText());
    assertEquals("visible", chromium.evaluate("document.querySelector('#loss .cursor').getAttribute('visibility')").asText());
    chromium.moveMouse(2, 2);
    assertEquals(before, readout("loss"));
  }

  /** The first run has ended after epoch 40, so that its curves have no value at epoch 50. */
  @Test
  void readoutOfAComparisonHasOnlyCurvesWithAValue() throws Exception {
    chromium.open(write(Sample.COMPARISON), 1280, false);
    String before = readout("loss");
    assertTrue(before.matches("epoch 60: 3 training loss = \\S+ · 3 validation loss = \\S+"), before);
    chromium.evaluate("document.getElementById('loss').focus()");
    chromium.pressKey("Home");
    String first = readout("loss");
    assertEquals(5, first.split("=").length - 1, first);
    for (int epoch = 2; epoch <= 50; epoch++) {
      chromium.pressKey("ArrowRight");
    }
    assertTrue(readout("loss").matches("epoch 50: 2 training loss = \\S+ · 3 training loss = \\S+ · 3 validation loss = \\S+"),
        readout("loss"));
  }

  /** With the largest number of runs, every run has its own color, on the light page and on the dark one. */
  @Test
  void everyRunOfAComparisonHasItsColor() throws Exception {
    for (boolean dark : new boolean[] {false, true}) {
      chromium.open(write(Sample.COMPARISON_OF_MANY), 1280, dark);
      String colors = "new Set(Array.from(document.querySelectorAll('#PART'), part => getComputedStyle(part).PROPERTY)).size";
      assertEquals(12, chromium.evaluate(colors.replace("PART", "scores .key path").replace("PROPERTY", "stroke")).asInt());
      assertEquals(12, chromium.evaluate(colors.replace("PART", "loss .linear text.end").replace("PROPERTY", "fill")).asInt());
      String dashes = "Array.from(document.querySelectorAll('#loss .linear path.curve')).filter(curve =>"
          + " getComputedStyle(curve).strokeDasharray !== 'none').map(curve => curve.classList.contains('train'))";
      assertEquals("[" + "true,".repeat(11) + "true]", chromium.evaluate(dashes).toString());
      assertEquals("[\"epochs-table\"]", chromium.evaluate(WIDE).toString());
    }
  }

  @Test
  void arrowKeysMoveThroughTheHeatMap() throws Exception {
    chromium.open(write(Sample.REGRESSION), 1280, false);
    chromium.evaluate("document.getElementById('gradients-map').focus()");
    for (String key : List.of("Home", "ArrowRight", "ArrowDown")) {
      chromium.pressKey(key);
    }
    JsonNode row = chromium.evaluate(
        "Array.from(document.querySelectorAll('#gradients-map-table tbody tr')[1].cells, cell => cell.textContent)");
    assertEquals("output, epoch 2: " + row.get(2).asText(), readout("gradients-map"));
    assertEquals("2", row.get(0).asText());
  }

  @Test
  void checkBoxSelectsTheScale() throws Exception {
    chromium.open(write(Sample.CLASSIFICATION), 1280, false);
    String seen = "['linear', 'logarithmic'].map(name =>"
        + " document.querySelector('#loss .' + name).getBoundingClientRect().width > 0)";
    assertEquals("[false,true]", chromium.evaluate(seen).toString());
    chromium.evaluate("document.getElementById('loss-log').click()");
    assertEquals("[true,false]", chromium.evaluate(seen).toString());
  }

  @Test
  void contentSecurityPolicyBlocksRequestsAndOtherScripts() throws Exception {
    chromium.open(write(Sample.CLASSIFICATION), 1280, false);
    chromium.evaluate("""
        new Promise(done => {
          const image = new Image();
          image.onerror = () => done(1);
          image.src = 'http://example.invalid/x.png';
        })""");
    chromium.evaluate("""
        (() => {
          const script = document.createElement('script');
          script.textContent = 'window.ran = 1';
          document.body.append(script);
        })()""");
    assertEquals("undefined", chromium.evaluate("typeof window.ran").asText());
    assertEquals(2, chromium.complaints().stream().filter(text -> text.contains("Content Security Policy")).count(),
        chromium.complaints().toString());
  }

  @Test
  void printedPageIsLightAndHasNoCheckBoxes() throws Exception {
    chromium.open(write(Sample.CLASSIFICATION), 1280, true);
    chromium.showAsPrinted();
    chromium.screenshot(SCREENSHOTS.resolve("classification-print.png"));
    assertEquals("rgb(255, 255, 255)", background());
    assertEquals("none", chromium.evaluate("getComputedStyle(document.querySelector('.switch')).display").asText());
  }

  private static String background() throws Exception {
    return chromium.evaluate("getComputedStyle(document.body).backgroundColor").asText();
  }

  private static String readout(String chart) throws Exception {
    return chromium.evaluate("document.getElementById('" + chart + "-readout').textContent").asText();
  }

  private static Path write(Sample sample) throws IOException {
    Path file = folder.resolve(sample.name().toLowerCase(Locale.ROOT) + ".html");
    try (OutputStream out = Files.newOutputStream(file)) {
      sample.write(out);
    }
    return file;
  }
}
