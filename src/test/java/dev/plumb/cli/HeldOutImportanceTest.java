package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The importance of the columns in the report of a training. */
class HeldOutImportanceTest {
  private static final Path DIABETES = Path.of("src/test/resources/tables/diabetes.csv");
  private static final Pattern BARS = Pattern.compile("<svg class=\"bars\".*?</svg>", Pattern.DOTALL);

  @TempDir Path folder;

  @Test
  void longTrainingHasItAndShortOneOnlyOnRequest() throws IOException {
    String cheap = report(train("--validation", "0.1", "--epochs", "40", "--early-stopping", "0"));
    assertTrue(cheap.contains("Permutation importance on validation rows") && BARS.matcher(cheap).find(), cheap);
    String costly = report(train("--validation", "0.1", "--epochs", "5"));
    assertFalse(costly.contains("Permutation importance") || BARS.matcher(costly).find(), costly);
    String requested = report(train("--validation", "0.1", "--epochs", "5", "--importance"));
    assertTrue(requested.contains("Permutation importance on validation rows") && BARS.matcher(requested).find(), requested);
  }

  @Test
  void testRowsGiveTheFiguresOfPlumbImportance() throws IOException {
    List<String> lines = Files.readAllLines(DIABETES);
    Path test = Files.write(folder.resolve("test.csv"), lines.subList(0, 100));
    Plumbed trained = train("--validation", "0.1", "--epochs", "5", "--importance", "--test", test.toString());
    String page = report(trained);
    assertTrue(page.contains("Permutation importance on test rows"), page);
    Path alone = folder.resolve("importance.html");
    Plumbed ran = Plumbed.run("importance", run(trained).toString(), test.toString(), "--repeats", "5", "--device", "cpu", "--report",
        alone.toString());
    assertEquals(0, ran.code(), ran.err());
    assertEquals(bars(Files.readString(alone)), bars(page));
  }

  @Test
  void missingHeldOutRowsAreReportedOnlyOnRequest() throws IOException {
    String note = "note: the report has no importance of the columns: no rows are held out; use --validation or --test";
    Plumbed requested = train("--validation", "0", "--epochs", "2", "--importance");
    assertTrue(requested.err().lines().anyMatch(note::equals), requested.err());
    assertFalse(report(requested).contains("Permutation importance"));
    Plumbed plain = train("--validation", "0", "--epochs", "2");
    assertFalse(plain.err().contains("importance"), plain.err());
  }

  private Plumbed train(String... options) {
    List<String> command = new ArrayList<>(List.of("train", DIABETES.toString(), "--runs", folder.toString(), "--device", "cpu"));
    command.addAll(List.of(options));
    Plumbed trained = Plumbed.run(command.toArray(String[]::new));
    assertEquals(0, trained.code(), trained.err());
    return trained;
  }

  private static Path run(Plumbed trained) {
    Matcher matcher = Pattern.compile("(?m)^run: (.*)$").matcher(trained.out());
    assertTrue(matcher.find(), trained.out());
    return Path.of(matcher.group(1));
  }

  private static String report(Plumbed trained) throws IOException {
    return Files.readString(run(trained).resolve("report.html"));
  }

  private static String bars(String page) {
    Matcher matcher = BARS.matcher(page);
    assertTrue(matcher.find(), page);
    return matcher.group();
  }
}
