package dev.plumb.golden;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Whether the figures of {@code plumb study --json} have the digits that the notebook printed: losses to 4 decimals, gradient norms
 * to 6. A program of its own, for a GPU's results; the expected figures are notebook-seed42.json.
 */
final class NotebookDigits {
  /**
   * What the comparison came to.
   *
   * @param different how many of the figures have other digits
   * @param relative the largest relative difference; infinite when a figure is missing or not finite
   */
  record Result(int figures, int different, double relative) {}

  private NotebookDigits() {}

  /** Takes the study's JSON file; exits with 1 when digits differ in fp64. No other precision is bound to them. */
  public static void main(String[] args) throws IOException {
    JsonNode study = new ObjectMapper().readTree(Path.of(args[0]).toFile());
    Result result = compare(study, System.out);
    System.out.printf(Locale.ROOT, "%d of %d figures have the notebook's digits, largest relative difference %.1e%n",
        result.figures() - result.different(), result.figures(), result.relative());
    System.exit(study.path("precision").asText().equals("fp64") && result.different() > 0 ? 1 : 0);
  }

  /** Compares network by network, in order, and prints one line a figure. */
  static Result compare(JsonNode study, PrintStream out) {
    Result result = new Result(0, 0, 0);
    int run = 0;
    for (JsonNode expected : Golden.read("notebook-seed42.json").get("nets")) {
      JsonNode actual = study.path("runs").path(run++);
      String network = expected.get("layers") + " " + expected.get("activation").textValue();
      boolean same = actual.path("layers").equals(expected.get("layers"))
          && actual.path("activation").equals(expected.get("activation"));
      JsonNode figures = same ? actual : study.path("no such network");
      result = add(result, network + " loss @ 200", 4,
          expected.get("lossAtEpoch").get("200"), figures.path("lossAtEpoch").path("200"), out);
      result = add(result, network + " final loss", 4, expected.get("finalLoss"), figures.path("finalLoss"), out);
      result = add(result, network + " grad norm L1", 6, expected.get("gradNormL1"), figures.path("gradNormFirst"), out);
      result = add(result, network + " grad norm last", 6, expected.get("gradNormLast"), figures.path("gradNormLast"), out);
    }
    return result;
  }

  private static Result add(Result before, String what, int decimals, JsonNode expected, JsonNode figure, PrintStream out) {
    double value = figure.isNumber() ? figure.doubleValue() : Double.NaN;
    double relative = Math.abs(value - expected.doubleValue()) / Math.abs(expected.doubleValue());
    String digits = String.format(Locale.ROOT, "%." + decimals + "f", value);
    String notebook = String.format(Locale.ROOT, "%." + decimals + "f", expected.doubleValue());
    boolean same = digits.equals(notebook);
    out.printf(Locale.ROOT, "%s: %s, notebook %s, relative difference %.1e%s%n",
        what, digits, notebook, relative, same ? "" : " (other digits)");
    return new Result(before.figures() + 1, before.different() + (same ? 0 : 1),
        Math.max(before.relative(), Double.isFinite(relative) ? relative : Double.POSITIVE_INFINITY));
  }
}
