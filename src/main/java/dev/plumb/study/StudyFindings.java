package dev.plumb.study;

import dev.plumb.train.Metric;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Findings about the results of any grid study, in sentences. */
public final class StudyFindings {
  private StudyFindings() {}

  public static List<Finding> of(StudyResult result) {
    List<Finding> findings = new ArrayList<>();
    result.study().table().ifPresentOrElse(table -> scores(result, table, findings), () -> extremes(result, findings));
    if (result.study().isDetailed()) {
      falls(result, findings);
    }
    diverged(result, findings);
    return findings;
  }

  /** Adds the cells with the best and the worst median of the main metric. */
  private static void scores(StudyResult result, StudyData.Table table, List<Finding> findings) {
    Metric metric = table.mainMetric();
    int index = table.indexOf(metric);
    record Ranked(Study.Cell cell, Quartiles score) {}
    List<Ranked> ranked = result.study().cells().stream()
        .map(cell -> new Ranked(cell, result.quartiles(cell, row -> row.scores()[index])))
        .filter(ranking -> !Double.isNaN(ranking.score().median()))
        .sorted(Comparator.comparingDouble(ranking -> metric.isHigherBetter() ? -ranking.score().median() : ranking.score().median()))
        .toList();
    if (ranked.size() > 1) {
      Ranked best = ranked.get(0);
      Ranked worst = ranked.get(ranked.size() - 1);
      String name = table.judgedRows() + " " + metric.label();
      findings.add(new Finding("Best and worst networks", Finding.Verdict.MEASURED, "The best median of the " + name + " is "
          + spread(best.score()) + ", of " + best.cell().name() + "; the worst is " + spread(worst.score()) + ", of "
          + worst.cell().name() + "."));
    }
  }

  private static void extremes(StudyResult result, List<Finding> findings) {
    record Ranked(Study.Cell cell, Quartiles loss) {}
    List<Ranked> ranked = result.study().cells().stream()
        .map(cell -> new Ranked(cell, result.quartiles(cell, TrialRow::finalLoss)))
        .filter(ranking -> !Double.isNaN(ranking.loss().median()))
        .sorted(Comparator.comparingDouble(ranking -> ranking.loss().median())).toList();
    if (ranked.size() > 1) {
      Ranked best = ranked.get(0);
      Ranked worst = ranked.get(ranked.size() - 1);
      findings.add(new Finding("Final losses", Finding.Verdict.MEASURED, "The lowest median of the final loss is "
          + spread(best.loss()) + ", of " + best.cell().name() + "; the highest " + spread(worst.loss()) + ", of "
          + worst.cell().name() + "."));
    }
  }

  /** Adds gradient norms by activation and initializer: the scale of the weights matters as much as the function. */
  private static void falls(StudyResult result, List<Finding> findings) {
    Map<String, List<TrialRow>> rows = new LinkedHashMap<>();
    for (Study.Cell cell : result.study().cells()) {
      if (cell.network().layerCount() > 2) {
        rows.computeIfAbsent(cell.network().description() + " layer with weights of "
            + cell.initializer().key(), key -> new ArrayList<>())
            .addAll(result.of(cell));
      }
    }
    int last = result.study().curveEpochs().size() - 1;
    rows.forEach((kind, kindRows) -> {
      Quartiles first = Quartiles.of(kindRows.stream().mapToDouble(row -> row.fallPerLayer(0)).toArray());
      Quartiles end = Quartiles.of(kindRows.stream().mapToDouble(row -> row.fallPerLayer(last)).toArray());
      if (!Double.isNaN(first.median())) {
        findings.add(new Finding("Gradient per " + kind, Finding.Verdict.MEASURED, "In backpropagation the gradient norm is divided by "
            + spread(first) + " per layer in the first epoch" + (Double.isNaN(end.median()) ? "." : ", and by " + spread(end)
            + " in the last one.")));
      }
    });
  }

  private static void diverged(StudyResult result, List<Finding> findings) {
    if (result.diverged() > 0) {
      findings.add(new Finding("Divergence", Finding.Verdict.MEASURED, String.format(Locale.ROOT,
          "%,d of %,d networks diverged, %s.", result.diverged(), result.finished(),
          new Proportion(result.diverged(), result.finished()))));
    }
  }

  /** Returns median and quartiles: 0.0304 [0.021, 0.052]. */
  static String spread(Quartiles values) {
    return brief(values.median()) + " [" + brief(values.low()) + ", " + brief(values.high()) + "]";
  }

  static String brief(double value) {
    if (!Double.isFinite(value) || value == 0) {
      return value == 0 ? "0" : Double.toString(value);
    }
    BigDecimal rounded = new BigDecimal(value).round(new MathContext(3));
    double size = Math.abs(value);
    return size >= 1e-4 && size < 1e6 ? rounded.stripTrailingZeros().toPlainString() : String.format(Locale.ROOT, "%.2e", value);
  }
}
