package dev.plumb.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Reports as a browser shows them. Pictures of all are left in target/report-screenshots, to be looked at. */
class ReportInChromiumTest {
  private static final Path SCREENSHOTS = Path.of("target", "report-screenshots");

  private static Path folder;
  private static Chromium chromium;

  /** What is shown, and which drawings it must have. */
  enum Shown {
    CLASSIFICATION(List.of("loss", "metric", "rate", "seconds", "gradients-map", "gradients-profile", "confusion")),
    REGRESSION(List.of("loss", "metric", "rate", "seconds", "gradients-map", "gradients-profile", "scatter-0")),
    VANISHING(List.of("loss", "metric", "rate", "seconds", "gradients-map", "gradients-profile")),
    DIVERGED(List.of("loss", "metric", "rate", "seconds", "gradients-map", "gradients-profile")),
    HOSTILE(List.of("loss", "metric", "rate", "seconds", "gradients-map", "gradients-profile", "confusion")),
    STUDY(List.of("results-table", "losses-chart", "ranking", "norms")),
    STUDY_OF_SEEDS(List.of("results-table", "losses-chart", "ranking", "norms"));

    private final List<String> charts;

    Shown(List<String> charts) {
      this.charts = charts;
    }

    void write(OutputStream out) throws IOException {
      switch (this) {
        case CLASSIFICATION -> HtmlReport.write(SampleReports.classification(), out);
        case REGRESSION -> HtmlReport.write(SampleReports.regression(), out);
        case VANISHING -> HtmlReport.write(SampleReports.vanishing(3000, 12), out);
        case DIVERGED -> HtmlReport.write(SampleReports.diverged(), out);
        case HOSTILE -> HtmlReport.write(SampleReports.hostile(), out);
        case STUDY -> HtmlReport.write(SampleReports.study(1), out);
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
      files.sorted(java.util.Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyChartIsDrawnAtEveryWidthInLightAndDark(Shown shown) throws Exception {
    Path file = written(shown);
    for (int width : new int[] {1280, 400}) {
      for (boolean dark : new boolean[] {false, true}) {
        String what = shown + ", " + width + " px, " + (dark ? "dark" : "light");
        chromium.open(file, width, dark);
        chromium.screenshot(SCREENSHOTS.resolve(
            shown.name().toLowerCase() + "-" + width + "-" + (dark ? "dark" : "light") + ".png"));
        assertEquals(List.of(), chromium.complaints(), what);
        assertEquals(List.of(file.toUri().toString()), chromium.requests(), what);
        for (String chart : shown.charts) {
          JsonNode box = chromium.evaluate("(({width, height}) => [width, height])(document.getElementById('" + chart
              + "').getBoundingClientRect())");
          assertTrue(box.get(0).asDouble() > 150 && box.get(1).asDouble() > 40, what + ": " + chart + " " + box);
        }
        assertEquals(width, chromium.evaluate("document.documentElement.scrollWidth").asInt(), what + ": wider than the window");
      }
    }
  }

  private static Path written(Shown shown) throws IOException {
    Path file = folder.resolve(shown.name().toLowerCase() + ".html");
    try (OutputStream out = Files.newOutputStream(file)) {
      shown.write(out);
    }
    return file;
  }
}
