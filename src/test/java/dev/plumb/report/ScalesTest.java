package dev.plumb.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Tests of axes, colors, number formats, and the selection of rows to draw. */
class ScalesTest {
  @Test
  void everyRangeHasFewAscendingTicksOnTheAxis() {
    double[] ends = {-1e308, -3.5, -1e-9, 0, 1e-300, 1e-9, 0.5, 0.75, 1, 1.0000001, 399, 1e9, 1e308};
    for (double low : ends) {
      for (double high : ends) {
        if (low <= high) {
          check(Axis.linear(low, high), low, high);
          if (low > 0) {
            check(Axis.log(low, high), low, high);
          }
        }
      }
    }
    for (int last : new int[] {1, 2, 7, 100, 99_999, Integer.MAX_VALUE - 8}) {
      check(Axis.whole(1, last), 1, last);
    }
  }

  @Test
  void poorScoresAreAtTheEdgeAndTheBetterHalfHasAThirdOfTheAxis() {
    for (double[] scores : new double[][] {{1}, {2, 2, 2, 50}, {1, 2}, {1, 3, 2, 4}, {0.1, 0.2, 0.3, 0.5, 0.9, 1e300},
        {-1, 0, 2, 4, 8, 1e6}, {5, 5, 6, 7, 1e9, Double.MAX_VALUE}}) {
      for (boolean isHigherBetter : new boolean[] {false, true}) {
        int sign = isHigherBetter ? -1 : 1;
        double[] signed = Arrays.stream(scores).map(score -> sign * score).toArray();
        ScoreAxis axis = ScoreAxis.of(signed, isHigherBetter);
        String message = Arrays.toString(signed) + ": " + axis;
        double[] y = Arrays.stream(scores).sorted().map(score -> sign * axis.y(new PlotArea(0, 1, 0, 1), sign * score)).toArray();
        for (int i = 1; i < y.length; i++) {
          assertTrue(y[i] <= y[i - 1], message);
        }
        assertTrue(Arrays.stream(y).allMatch(at -> sign * at >= 0 && sign * at <= 1), message);
        boolean equal = scores[0] == scores[scores.length / 2];
        assertTrue(equal || y[0] - y[y.length / 2] >= 0.29, message);
        assertEquals(axis.beyond(), Arrays.stream(signed).filter(score -> sign * score > sign * axis.worst()).count(), message);
        assertEquals(scores[scores.length - 1] >= 1e6 ? "at the edge." : "", axis.note().replaceFirst(".* (?=at)", ""), message);
        assertEquals(!isHigherBetter && scores[0] > 0 && axis.worst() >= 4 * scores[0], axis.axis().isLog(), message);
      }
    }
  }

  private static void check(Axis axis, double low, double high) {
    String range = low + " to " + high + ": " + axis.ticks();
    assertTrue(!axis.ticks().isEmpty() && axis.ticks().size() <= 10, range);
    assertTrue(axis.at(low) >= 0 && axis.at(low) <= axis.at(high) && axis.at(high) <= 1, range);
    double last = Double.NEGATIVE_INFINITY;
    for (Axis.Tick tick : axis.ticks()) {
      assertTrue(tick.value() > last && axis.at(tick.value()) >= -1e-9 && axis.at(tick.value()) <= 1 + 1e-9, range);
      last = tick.value();
    }
    assertEquals(axis.ticks().size(), axis.ticks().stream().map(Axis.Tick::label).distinct().count(), range);
  }

  @Test
  void tickLabelsAreRound() {
    assertEquals(List.of("0", "0.2", "0.4", "0.6", "0.8", "1.0"), labels(Axis.linear(0, 1)));
    assertEquals(List.of("0.05", "0.1", "0.2", "0.5", "1"), labels(Axis.log(0.04, 1.7)));
    assertEquals(List.of("1e-6", "1e-5", "1e-4", "0.001", "0.01", "0.1", "1"), labels(Axis.log(6e-7, 1.2)));
  }

  private static List<String> labels(Axis axis) {
    return axis.ticks().stream().map(Axis.Tick::label).toList();
  }

  @Test
  void numbersHaveFewDigits() {
    assertEquals("0.03042", Format.brief(0.030415926));
    assertEquals("6.306e-6", Format.brief(6.3062e-6));
    assertEquals("1.235e8", Format.brief(123456789));
    assertEquals("0.1542638", Format.table(0.15426382));
    assertEquals("nan", Format.table(Double.NaN));
    assertEquals("6.1e-6", Format.cell(6.12e-6));
    assertEquals("1", Format.cell(0.999));
    assertEquals("3.4", Format.factor(3.41));
    assertEquals("10", Format.factor(9.96));
    assertEquals("2,490,000", Format.factor(2_491_234));
    assertEquals("1 h 1 min", Format.seconds(3661));
  }

  @Test
  void lightnessRisesAndTextIsReadable() {
    double before = -1;
    for (int i = 0; i <= 100; i++) {
      double light = luminance(ColorScale.color(i / 100.0));
      assertTrue(light > before, "at " + i);
      before = light;
      double text = ColorScale.needsDarkText(i / 100.0) ? 0 : 1;
      double contrast = (Math.max(text, light) + 0.05) / (Math.min(text, light) + 0.05);
      assertTrue(contrast >= 4.5, "contrast " + contrast + " at " + i);
    }
  }

  /** Returns WCAG's relative luminance. */
  private static double luminance(String color) {
    double[] weights = {0.2126, 0.7152, 0.0722};
    return IntStream.range(0, 3).mapToDouble(i -> {
      double c = Integer.parseInt(color.substring(1 + 2 * i, 3 + 2 * i), 16) / 255.0;
      return weights[i] * (c <= 0.04045 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4));
    }).sum();
  }

  @Test
  void thinningKeepsEveryPeakAndTheEnds() {
    double[] values = new double[100_000];
    Arrays.setAll(values, i -> Math.sin(i / 1000.0));
    values[54_321] = 7;
    values[65_432] = -7;
    values[76_543] = Double.NaN;
    Thinning thinning = new Thinning(values.length, List.of(values), 1200);
    List<Integer> kept = Arrays.stream(thinning.kept()).boxed().toList();
    assertTrue(kept.size() <= 1202, "kept " + kept.size());
    assertTrue(kept.containsAll(List.of(0, 54_321, 65_432, 76_543, 99_999)));
    assertEquals("", new Thinning(1200, List.of(values), 1200).note("epochs"));
  }

  @Test
  void spreadIncludesBothEnds() {
    int[] spread = Thinning.spread(1000, 7);
    assertEquals(7, spread.length);
    assertEquals(0, spread[0]);
    assertEquals(999, spread[6]);
    assertEquals(3, Thinning.spread(3, 7).length);
  }
}
