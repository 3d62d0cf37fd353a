package dev.plumb.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SummaryTest {
  /** Limits from tables of Student's t: t(0.975) with n - 1 degrees of freedom. */
  @ParameterizedTest
  @CsvSource({"2, 12.706", "3, 4.303", "5, 2.776", "10, 2.262", "31, 2.042", "121, 1.980"})
  void intervalIsStudents(int count, double t) {
    Random random = new Random(count);
    double[] values = random.doubles(count).toArray();
    Summary summary = Summary.of(values);
    assertEquals(count, summary.count());
    assertEquals(t, (summary.high() - summary.mean()) * Math.sqrt(count) / summary.deviation(), 5e-4);
    assertEquals(summary.high() - summary.mean(), summary.mean() - summary.low(), 1e-12);
  }

  @Test
  void meanAndDeviationAreThoseOfTheSample() {
    Summary summary = Summary.of(new double[] {2, 4, 4, 4, 5, 5, 7, 9});
    assertEquals(5, summary.mean());
    assertEquals(Math.sqrt(32.0 / 7), summary.deviation(), 1e-15);
  }

  @Test
  void intervalContainsTheMeanInNinetyFivePercentOfSamples() {
    Random random = new Random(4);
    int samples = 20_000;
    int hits = 0;
    for (int i = 0; i < samples; i++) {
      double[] values = new double[5];
      for (int j = 0; j < values.length; j++) {
        values[j] = 3 + 2 * random.nextGaussian();
      }
      Summary summary = Summary.of(values);
      hits += summary.low() <= 3 && 3 <= summary.high() ? 1 : 0;
    }
    assertEquals(0.95, (double) hits / samples, 0.006);
  }

  @Test
  void unknownValuesAreLeftOut() {
    Summary summary = Summary.of(new double[] {1, Double.NaN, 3});
    assertEquals(2, summary.count());
    assertEquals(2, summary.mean());
    Summary single = Summary.of(new double[] {Double.NaN, 7});
    assertEquals(7, single.mean());
    assertTrue(Double.isNaN(single.deviation()) && Double.isNaN(single.low()) && Double.isNaN(single.high()), single.toString());
    assertEquals(0, Summary.of(new double[0]).count());
    assertTrue(Double.isNaN(Summary.of(new double[0]).mean()));
  }

  @Test
  void equalValuesHaveAnEmptyInterval() {
    assertEquals(new Summary(3, 0.5, 0, 0.5, 0.5), Summary.of(new double[] {0.5, 0.5, 0.5}));
  }
}
